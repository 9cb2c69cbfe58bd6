"""What a training prints, and what it logs where there are several outputs."""

import time

import keras


class Progress(keras.callbacks.Callback):
    """One line an epoch: accuracies, images a second and the time that remains."""

    def __init__(self, images):
        super().__init__()
        self.images = images
        self.begin = None

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.begin
        epochs = self.params["epochs"]
        remaining = seconds * (epochs - epoch - 1) / 60
        print(
            f"epoch {epoch + 1}/{epochs}: loss {logs['loss']:.4f}, "
            f"accuracy {logs['accuracy']:.4f}, {validated(logs)}"
            f"{self.images / seconds:.0f} images/s, {remaining:.0f} min left",
            flush=True,
        )


def validated(logs):
    """What `Progress` says of the validation images, nothing where there are none."""
    if "val_loss" not in logs:
        return ""
    return f"val_loss {logs['val_loss']:.4f}, val_accuracy {logs['val_accuracy']:.4f}, "


class MainOutput(keras.callbacks.Callback):
    """Logs loss and accuracy of a network's own output, not of its side branches.

    Where there are several outputs, Keras puts their names in front and logs the sum
    of all losses as the loss.
    """

    def on_epoch_end(self, epoch, logs=None):
        first = self.model.output_names[0]
        for phase in ("", "val_"):
            for name in ("loss", "accuracy"):
                if f"{phase}{first}_{name}" in logs:
                    logs[f"{phase}{name}"] = logs[f"{phase}{first}_{name}"]
