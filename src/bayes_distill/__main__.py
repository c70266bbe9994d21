"""``python -m bayes_distill``: the command line."""

from bayes_distill.cli import main

if __name__ == "__main__":
    main()
