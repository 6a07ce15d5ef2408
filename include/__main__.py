"""`python -m include`: the commands behind the Makefile."""

from include.cli import main

if __name__ == "__main__":
    main()
