"""Train the source network and all runs of the comparison that are missing."""

import argparse
import sys

from helpers import callbacks, data
from helpers.transfer import grid, rates
from helpers.transfer.source import train_source


def main(arguments=None):
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.transfer", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--source-only", action="store_true", help="only train the source network"
    )
    parser.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    options = parser.parse_args(arguments)
    try:
        images = data.load_cifar10(options.data, source="cifar10")
        train_source(images, grid.folder())
        if not options.source_only:
            grid.run_missing(images)
            print(rates.table(rates.rows(grid.folder())))
            print(grid.table(grid.rows()))
    except (ValueError, OSError, callbacks.DamagedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
