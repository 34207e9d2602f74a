"""Submit 1,000 messages: python examples/submit_1000.py HOST PORT SENDER RECIPIENT"""

import asyncio
import sys

from depesche.smtpclient import ConnectionConfig, Encryption, Envelope, Pool


async def main(host: str, port: str, sender: str, recipient: str) -> None:
    config = ConnectionConfig(host, int(port), Encryption.TLS_IF_AVAILABLE)
    async with Pool(config, size=10) as pool:
        text = f"From: {sender}\r\nTo: {recipient}\r\nSubject: Number %d\r\n\r\nHello.\r\n"
        messages = ((Envelope(sender, (recipient,)), (text % number).encode()) for number in range(1000))
        results = await asyncio.gather(*(pool.submit(*message) for message in messages))
    print(sum(result.accepted for result in results), "accepted")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
