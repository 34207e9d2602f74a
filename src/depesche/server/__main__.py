import sys

from depesche.server.cli import main

sys.exit(main())
