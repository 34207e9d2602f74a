"""What the libraries beside us make of mails: runs in their own environment, speaks JSON lines.

In: one object a line with `name`, `kind`, `text`, `html`, `raw` (base64). Out: `{"name", "library", "text" or
"found", "seconds"}` for each library that is for that kind of mail. Imports nothing of ours.
"""

import base64
import json
import sys
import time
import warnings
from email import message_from_bytes, policy


def libraries():
    found = {"reply": {}, "bounce": {}}
    try:
        from email_reply_parser import EmailReplyParser

        found["reply"]["email-reply-parser"] = lambda case: EmailReplyParser.parse_reply(case["text"])
    except ImportError:
        pass
    try:
        from mailparser_reply import EmailReplyParser as MailParserReply

        parser = MailParserReply(languages=["en", "de", "fr", "it", "nl", "pl", "sv", "da", "es"])
        found["reply"]["mail-parser-reply"] = lambda case: parser.parse_reply(text=case["text"]) or ""
    except ImportError:
        pass
    try:
        from talon import quotations

        def talon(case):
            if case["text"]:
                return quotations.extract_from_plain(case["text"])
            return quotations.extract_from_html(case["html"])

        quotations.register_xpath_extensions()
        found["reply"]["talon (quotations)"] = talon
    except Exception as error:
        print(f"talon: {type(error).__name__}: {error}", file=sys.stderr)
    try:
        from flufl.bounce import scan_message

        def flufl(case):
            message = message_from_bytes(base64.b64decode(case["raw"]), policy=policy.compat32)
            return sorted(address.decode("ascii", "replace").lower() for address in scan_message(message))

        found["bounce"]["flufl.bounce"] = flufl
    except ImportError:
        pass
    return found


def standard_library(case):
    """The standard library alone: its newest policy, every header and every part."""
    message = message_from_bytes(base64.b64decode(case["raw"]), policy=policy.default)
    for part in message.walk():
        for value in part.values():
            str(value)
        if not part.is_multipart():
            part.get_content()


def main():
    warnings.simplefilter("ignore")
    found = libraries()
    for line in sys.stdin:
        case = json.loads(line)
        runs = dict(found.get(case["kind"], {}))
        runs["standard library"] = standard_library
        for name, run in runs.items():
            answer = {"name": case["name"], "library": name}
            begun = time.process_time()
            try:
                answer["found"] = run(case)
            except Exception as error:
                answer["error"] = type(error).__name__
            answer["seconds"] = time.process_time() - begun
            print(json.dumps(answer))


if __name__ == "__main__":
    main()
