"""A window that shows a live session, with the toolkit that comes with Python."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import PIL.Image
import PIL.ImageTk

from mien.apps.cli.status import pace_text
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.inference.live.session import LiveFrame
    from mien.preprocess import Image

TITLE = "mien live"


class Window:
    """Shows frames with their readings; Q, Escape and the closing button end the session.

    It is a context manager.

    Raises:
        MienError: If there is no screen.
    """

    def __init__(self) -> None:
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise MienError(f"No window can be opened: {error}.") from error
        self._root.title(TITLE)
        self._root.configure(background="#161616")
        self._picture = tkinter.Label(self._root, background="#161616", borderwidth=0)
        self._picture.pack()
        self._status = tkinter.Label(
            self._root, background="#161616", foreground="#ffffff", anchor="w", padx=8, pady=4
        )
        self._status.pack(fill="x")
        self._photo: PIL.ImageTk.PhotoImage | None = None
        self.closed = False
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in ("<q>", "<Q>", "<Escape>"):
            self._root.bind(key, self._close)

    def show(self, frame: LiveFrame, marked: Callable[[], Image]) -> None:
        """Show a frame with its readings."""
        image = PIL.Image.fromarray(marked())
        if self._photo is None or (self._photo.width(), self._photo.height()) != image.size:
            self._photo = PIL.ImageTk.PhotoImage(image, master=self._root)
            self._picture.configure(image=self._photo)
        else:
            self._photo.paste(image)
        self.wait(f"{pace_text(frame)}   ·   Q closes")

    def wait(self, text: str) -> None:
        """Show a sentence below the picture, if there is one, and take in what the user does."""
        if text:
            self._status.configure(text=text)
        self._root.update()

    def _close(self, event: object = None) -> None:
        self.closed = True

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._root.destroy()
