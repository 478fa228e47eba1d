"""Messages in which every text is the same one, and where it is left."""

from google.protobuf.message import Message

CANARY = "canary-7f3a in a coal mine"


def filled(message: Message, text: str = CANARY, *, depth: int = 5) -> Message:
    """The message, with that text in every string of every field, however deep."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].type == field.TYPE_STRING:
                getattr(message, field.name)["key"] = text
        elif field.type == field.TYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).append(text)
            elif not field.containing_oneof:
                setattr(message, field.name, text)
        elif field.type == field.TYPE_MESSAGE and depth and not field.containing_oneof:
            place = getattr(message, field.name)
            filled(place.add() if field.is_repeated else place, text, depth=depth - 1)
            if not field.is_repeated:
                place.SetInParent()
    return message


def places(message: Message, text: str = CANARY, path: str = "") -> set[str]:
    """Paths of the fields that hold the text."""
    found = set()
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        if field.message_type and field.message_type.GetOptions().map_entry:
            found |= {here} if text in str(dict(value)) else set()
        elif field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                found |= places(each, text, f"{here}.")
        elif text in str(value if not field.is_repeated else list(value)):
            found.add(here)
    return found
