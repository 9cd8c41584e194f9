"""The steps that move one file in or out of the project so that nothing of the user's is lost, whatever they do meanwhile.

Decides by hashes of what is really there, so the same steps serve a running landing, its rollback, and recovery after a
crash. Must not know change sets, merging or the order of a group.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from typing import Final, Literal

from spark.adapters.beneath import Folder, LinkFound, NotAFile
from spark.adapters.exchange import UNSUPPORTED, Exchange, LinkExchange
from spark.adapters.ledger import Op
from spark.adapters.project_files import FencedFiles
from spark.adapters.staging import Stage, Staged
from spark.core.errors import Unavailable
from spark.core.paths import ProjectPath

PUT_BACK_LIMIT: Final = 100

Keep = Callable[[ProjectPath, bytes], None]
"""Makes bytes of the user's durable as a version of the path, at once."""

BackResult = Literal["back", "changed"]


class Surprise(Exception):
    """The user was faster. Their newest bytes are in place (`content` None: they deleted the file, or it is none any
    more); every version of theirs that came out is kept. `not_kept`: why one could not be recorded; it still lies in place
    or in the stage."""

    def __init__(self, content: bytes | None, *, exists: bool = True, not_kept: Unavailable | None = None) -> None:
        super().__init__("the file changed meanwhile")
        self.content = content
        self.exists = exists
        self.not_kept = not_kept


class ExchangeSteps:
    """`exchange` may change to the fallback when the file system turns out not to have the better one."""

    def __init__(self, files: FencedFiles, stage: Stage, exchange: Exchange, keep: Keep) -> None:
        self._files = files
        self._stage = stage
        self.exchange = exchange
        self._keep = keep

    def put_in(self, op: Op, folder: Folder) -> None:
        """Brings the staged bytes in (or takes the file out, for a deletion). Raises `Surprise`; `FileNotFoundError` with
        `filename` of the staged file where somebody deleted the stage: nothing happened then."""
        name = op.path.name
        if op.post is None:
            self._take_out(op, folder, name)
        elif op.pre is None:
            try:
                self._place(op.staged, folder, name)
            except FileExistsError:
                raise Surprise(self._read(folder, name)) from None
            op.moved = True
        else:
            try:
                self._swap(op.staged, folder, name)
            except FileNotFoundError:
                self._require_staged(op)
                raise Surprise(None, exists=False) from None
            op.moved = True
            self._expect(op, folder, ours=op.post)

    def _expect(self, op: Op, folder: Folder, *, ours: str | None) -> None:
        out = self._stage.look(op.staged)
        if out.sha256 == op.pre:
            return
        if not out.there:
            # Somebody deleted the stage in this moment. What was in it is in the history unless it was a surprise.
            return
        self.put_back(op, folder, out, ours)

    def put_back(self, op: Op, folder: Folder, out: Staged, ours: str | None) -> None:
        """`out` (somebody else's) lies in the stage, the target held `ours` a moment ago. Swaps until what comes out is
        what went in last; then the newest foreign bytes are in place and all are kept. Raises `Surprise` always."""
        not_kept: Unavailable | None = None
        for _ in range(PUT_BACK_LIMIT):
            not_kept = self._keep_staged(op, out) or not_kept
            try:
                self._swap(op.staged, folder, op.path.name)
            except FileNotFoundError:
                # The user deleted it meanwhile: that stands.
                raise Surprise(None, exists=False, not_kept=not_kept) from None
            came = self._stage.look(op.staged)
            if came.sha256 == ours or not came.there:
                raise Surprise(out.content, not_kept=not_kept)
            ours, out = out.sha256, came
        not_kept = self._keep_staged(op, out) or not_kept
        raise Surprise(self._read(folder, op.path.name), not_kept=not_kept)

    def tidy(self, op: Op, folder: Folder) -> None:
        """Ends what the fallback does in two steps, where it died in between: afterwards the staged name tells, as with an
        exchange, what happened."""
        stage, old = self._stage.folder, op.staged.removesuffix(".new") + ".old"
        staged = stage.lstat(op.staged)
        if staged is None:
            if stage.lstat(old) is not None:
                stage.rename(old, stage, op.staged)
            return
        now = folder.lstat(op.path.name)
        if op.pre is None and now is not None and (now.st_dev, now.st_ino) == (staged.st_dev, staged.st_ino):
            # Linked into the project already: the staged name is only its second one.
            stage.unlink(op.staged)

    def take_back(self, op: Op, content_of: Callable[[str], bytes | None]) -> BackResult:
        """Undoes an operation where it happened: compare by hash, exchange, compare what came out. `changed`: the user has
        changed the file since; it is left as it is. Safe to repeat."""
        with self._files.folder(op.path.parent) as folder:
            if folder is None:
                return "back" if op.pre is None else "changed"
            self.tidy(op, folder)
            now = _look(folder, op.path.name)
            staged = self._stage.look(op.staged)
            if op.post is None:
                return self._put_again(op, folder, now, staged, content_of)
            if now.sha256 != op.post:
                return "back" if now.sha256 == op.pre and not now.foreign else "changed"
            if op.pre is None:
                return "back" if staged.sha256 == op.post else self._take_away(op, folder)
            if staged.sha256 == op.post:
                # It never went in: the same bytes are in place, by the user's hand.
                return "changed"
            try:
                if staged.there and staged.sha256 != op.pre:
                    self.put_back(op, folder, staged, op.post)
                self._restage(op, folder, staged, content_of)
                self._swap(op.staged, folder, op.path.name)
                came = self._stage.look(op.staged)
                if came.there and came.sha256 != op.post:
                    self.put_back(op, folder, came, op.pre)
            except Surprise:
                return "changed"
            return "back"

    def _take_away(self, op: Op, folder: Folder) -> BackResult:
        """A file that this operation created goes out again, if it is still the one."""
        self.exchange.take(folder, op.path.name, self._stage.folder, op.staged)
        out = self._stage.look(op.staged)
        if out.sha256 == op.post:
            return "back"
        self._return(op, folder, out)
        return "changed"

    def _put_again(
        self, op: Op, folder: Folder, now: Staged, staged: Staged, content_of: Callable[[str], bytes | None]
    ) -> BackResult:
        """A file that this operation took out comes in again, unless the user made a new one."""
        if now.there:
            return "back" if now.sha256 == op.pre else "changed"
        if not staged.there and op.moved is False:
            return "changed"  # it never came out through us: the user deleted it, and that stands
        if staged.foreign or staged.sha256 not in (None, op.pre):
            self._keep_staged(op, staged)
        else:
            self._restage(op, folder, staged, content_of)
        try:
            self._place(op.staged, folder, op.path.name)
        except FileExistsError:
            return "changed"
        return "back"

    def _take_out(self, op: Op, folder: Folder, name: str) -> None:
        try:
            self.exchange.take(folder, name, self._stage.folder, op.staged)
        except FileNotFoundError:
            if folder.lstat(name) is None:
                raise Surprise(None, exists=False) from None
            self._stage.reopen()
            self.exchange.take(folder, name, self._stage.folder, op.staged)
        op.moved = True
        out = self._stage.look(op.staged)
        if out.sha256 != op.pre and out.there:
            raise Surprise(out.content, not_kept=self._return(op, folder, out))

    def _return(self, op: Op, folder: Folder, out: Staged) -> Unavailable | None:
        """The wrong file came out: back with it, unless the user already made a newer one (then ours is kept)."""
        not_kept = self._keep_staged(op, out)
        with contextlib.suppress(FileExistsError):
            self._place(op.staged, folder, op.path.name)
        return not_kept

    def _keep_staged(self, op: Op, out: Staged) -> Unavailable | None:
        """Where the history cannot take the bytes (a full disk), they go back in place all the same: that needs no room."""
        if out.content is not None:
            try:
                self._keep(op.path, out.content)
            except Unavailable as error:
                return error
        return None

    def _restage(self, op: Op, folder: Folder, staged: Staged, content_of: Callable[[str], bytes | None]) -> None:
        """Old bytes for the way back, from the history where somebody deleted the stage."""
        if staged.there or op.pre is None:
            return
        content = content_of(op.pre)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), op.staged)
        self._stage.put(op.staged, content, folder, op.path.name, mode=op.mode)

    def _require_staged(self, op: Op) -> None:
        if not self._stage.look(op.staged).there:
            raise FileNotFoundError(errno.ENOENT, "the stage was deleted", op.staged)

    def _swap(self, staged: str, folder: Folder, name: str) -> None:
        try:
            self.exchange.swap(self._stage.folder, staged, folder, name)
        except OSError as error:
            self._fall_back(error)
            self.exchange.swap(self._stage.folder, staged, folder, name)

    def _place(self, staged: str, folder: Folder, name: str) -> None:
        try:
            self.exchange.place(self._stage.folder, staged, folder, name)
        except OSError as error:
            self._fall_back(error)
            self.exchange.place(self._stage.folder, staged, folder, name)

    def _fall_back(self, error: OSError) -> None:
        """Raises the error again unless the fallback may do better."""
        if error.errno not in UNSUPPORTED or isinstance(self.exchange, LinkExchange) or os.name == "nt":
            raise error
        self.exchange = LinkExchange()

    @staticmethod
    def _read(folder: Folder, name: str) -> bytes | None:
        return _look(folder, name).content


def _look(folder: Folder, name: str) -> Staged:
    try:
        return Staged(folder.read(name))
    except (LinkFound, NotAFile):
        return Staged(None, foreign=True)


def hash_in_place(files: FencedFiles, path: ProjectPath) -> Staged:
    """What has the path right now, by content."""
    with files.folder(path.parent) as folder:
        return Staged(None) if folder is None else _look(folder, path.name)
