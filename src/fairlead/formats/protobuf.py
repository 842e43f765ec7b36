"""Protocol Buffers: one message; `outputSchema` is the path of a .proto file, of which the first message is meant.

The message becomes JSON as Protocol Buffers define it, with the names of fields as they are in the file.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairlead.formats.base import MIB, Format
from fairlead.formats.extras import extra, schema_file

_EXTRA = "protobuf"


def protobuf(schema: str, folder: Path) -> Format:
    """The format of messages of the first type in that file."""
    json_format = extra("google.protobuf.json_format", _EXTRA)
    broken = (extra("google.protobuf.message", _EXTRA).DecodeError, json_format.Error, TypeError)
    kind = _message_type(*schema_file(schema, folder, "a .proto file"))

    def read(data: bytes, charset: str) -> Any:
        try:
            message = kind.FromString(data)
            return json_format.MessageToDict(
                message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        except broken:
            raise ValueError("is not the message") from None

    return Format("Protocol Buffers", read, 4 * MIB)


def _message_type(path: Path, folder: Path) -> Any:
    """The class of the first message in a file."""
    descriptors = extra("google.protobuf.descriptor_pb2", _EXTRA).FileDescriptorSet.FromString(_compiled(path, folder))
    pool = extra("google.protobuf.descriptor_pool", _EXTRA).DescriptorPool()
    for one in descriptors.file:
        pool.Add(one)
    *_, last = descriptors.file
    if not last.message_type:
        raise ValueError(f"{path.name!r} has no message")
    name = ".".join(filter(None, (last.package, last.message_type[0].name)))
    return extra("google.protobuf.message_factory", _EXTRA).GetMessageClass(pool.FindMessageTypeByName(name))


def _compiled(path: Path, folder: Path) -> bytes:
    """The file and all that it imports from its folder, compiled."""
    protoc = extra("grpc_tools.protoc", _EXTRA)
    with TemporaryDirectory() as temporary:
        target = Path(temporary) / "descriptors"
        known = files("grpc_tools") / "_proto"
        arguments = ["protoc", f"-I{folder}", f"-I{known}", "--include_imports", f"--descriptor_set_out={target}"]
        if protoc.main([*arguments, str(path)]):
            raise ValueError(f"{path.name!r} is no .proto file")
        return target.read_bytes()
