"""`python -m handcalc`, and the installed command."""

import gc


def main() -> None:
    """Run the command line. What a command makes lives to its end: looking for garbage early only costs start-up time."""
    gc.set_threshold(100_000, 20, 20)
    from handcalc.cli import run

    run()


if __name__ == "__main__":
    main()
