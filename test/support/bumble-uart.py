"""A Nordic UART peripheral, its controller and the air between, all of Bumble's.

usage: bumble-uart.py PTY ADDRESS NAME

On PTY is the HCI of the central's controller. What arrives on the UART goes to standard output, and
standard input to whoever has subscribed. SIGUSR1 hangs up and stops advertising, SIGUSR2 starts it.
"""

import asyncio
import os
import signal
import sys

from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport

NUS = "6E400001-B5A3-F393-E0A9-E50E24DCCA9E"
RX = "6E400002-B5A3-F393-E0A9-E50E24DCCA9E"
TX = "6E400003-B5A3-F393-E0A9-E50E24DCCA9E"


async def main(pty: str, address: str, name: str) -> None:
    air = LocalLink()
    async with await open_transport(f"serial:{pty},1000000") as line:
        Controller("central", host_source=line.source, host_sink=line.sink, link=air)
        host = Host()
        host.controller = Controller("peripheral", link=air)
        device = Device(name=name, address=Address(address), host=host)

        def receive(_connection, value: bytes) -> None:
            os.write(1, bytes(value))

        properties = Characteristic.Properties
        rx = Characteristic(
            RX,
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=receive),
        )
        tx = Characteristic(TX, properties.NOTIFY, Characteristic.READABLE)
        device.add_service(Service(NUS, [rx, tx]))
        device.advertising_data = bytes(
            AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, name.encode())])
        )
        await device.power_on()
        await device.start_advertising(auto_restart=True)

        async def leave() -> None:
            await device.stop_advertising()
            for connection in list(device.connections.values()):
                await connection.disconnect()
            await device.stop_advertising()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, lambda: loop.create_task(leave()))
        loop.add_signal_handler(
            signal.SIGUSR2,
            lambda: loop.create_task(device.start_advertising(auto_restart=True)),
        )
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        print("ready", file=sys.stderr, flush=True)
        while data := await reader.read(20):
            await device.notify_subscribers(tx, data)


asyncio.run(main(*sys.argv[1:4]))
