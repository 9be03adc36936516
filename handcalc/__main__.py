"""`python -m handcalc`, and the installed command."""

import gc
import os

GARBAGE = (100_000, 20, 20)  # what a command makes lives to its end: looking for garbage early only costs time


def main() -> None:
    """Run the command line."""
    gc.set_threshold(*GARBAGE)
    try:
        import signal

        usual = signal.getsignal(signal.SIGINT)
        if usual is signal.default_int_handler:  # not where whoever started us wants it to be ignored
            signal.signal(signal.SIGINT, _end)
        from handcalc.cli import run
    except KeyboardInterrupt:
        _end()
    run(usual)


def _end(*_: object) -> None:
    """Ctrl-C while modules are imported, of which nothing has to be put in order."""
    os._exit(130)


if __name__ == "__main__":
    main()
