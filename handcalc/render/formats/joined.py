"""Pieces of a document, each set by itself → one PDF, as if it had been set at once, in a fraction of the memory.

- `joined(source)` is the file. It needs the package `pypdf`; `can_join()` says whether that is there.

Its pages are those of the pieces. What they cannot know, because it depends on all the others, comes from the frame: a document of as
many pages, with the numbers and running titles, and with the table of contents, whose links lead to its pages. Bookmarks are made anew
from those of the pieces; the trees of what is read aloud are put beside each other.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from handcalc.render.formats.typesetter import forget, pdf
from handcalc.render.formats.typst import TypstSource

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_OWN = "/Own"  # the name of what a page of the frame shows


def can_join() -> bool:
    """Whether the package is there."""
    try:
        import pypdf  # noqa: F401
    except ImportError:
        return False
    return True


def joined(source: TypstSource) -> bytes:
    """The whole file. Raises OutputError where no font has its letters."""
    from pypdf import PdfReader

    files: dict[int, bytes] = {}
    begins: dict[int, list[str]] = {}
    for place, piece in sorted(enumerate(source.pieces), key=lambda found: -len(found[1].text)):  # the others fit where the largest was
        files[place] = pdf(source.part(piece))
        forget()
        begins[place] = _begins(PdfReader(BytesIO(files[place])), bool(piece.above), piece.titles)
    pages = [title for place in sorted(begins) for title in begins[place]]
    frame = _Frame(pdf(source.frame(pages)), len(pages))
    for place, piece in enumerate(source.pieces):
        frame.put(PdfReader(BytesIO(files.pop(place))), len(piece.above))
    return frame.written()


def _begins(reader: PdfReader, before: bool, titles: tuple[str, ...]) -> list[str]:
    """For each page of a piece, the title of the chapter that begins on it, or nothing; before: whether there is a page to leave out."""
    found = [""] * len(reader.pages)
    places = [mark.page for mark in _bookmarks(reader) if mark.depth == 0]
    for place, title in zip(places[before:], titles, strict=True):
        found[place] = title
    return found[before:]


class _Bookmark(NamedTuple):
    depth: int
    page: int
    title: str
    left: float
    top: float


def _bookmarks(reader: PdfReader) -> list[_Bookmark]:
    """Those of a file, in reading order."""
    found = []

    def follow(node: Any, depth: int) -> None:
        while node is not None:
            target = node["/Dest"]
            page = reader.get_page_number(target[0].get_object())
            assert page is not None
            found.append(_Bookmark(depth, page, str(node["/Title"]), float(target[2]), float(target[3])))
            follow(node.get("/First"), depth + 1)
            node = node.get("/Next")

    follow(reader.root_object["/Outlines"].get("/First"), 0)  # type: ignore[attr-defined]
    return found


class _Frame:
    """A file into whose last pages pieces are put, one after the other; see `TypstSource.frame`."""

    def __init__(self, content: bytes, pages: int) -> None:
        from pypdf import PdfWriter
        from pypdf.generic import ArrayObject, DictionaryObject, NameObject

        self.writer = PdfWriter(clone_from=BytesIO(content))
        self.pages = iter(self.writer.pages[-pages:])
        self.pieces = 0
        self.marks: list[Any] = []  # the bookmarks that the next may stand below
        self.begin = self._stream(b"q\n")
        self.end = self._stream(f"\nQ\n{_OWN} Do".encode())
        catalogue: Any = self.writer.root_object
        del catalogue["/Outlines"]
        self.tree: Any = catalogue["/StructTreeRoot"]  # what is read aloud
        self.body: Any = self.tree["/K"][0]
        self.body.setdefault(NameObject("/K"), ArrayObject())
        self.tree.setdefault(NameObject("/ParentTree"), DictionaryObject()).setdefault(NameObject("/Nums"), ArrayObject())
        self.next_key = int(self.tree.get("/ParentTreeNextKey", 0))
        self.heads: dict[str, Any] = {}  # of columns of tables

    def put(self, reader: PdfReader, above: int) -> None:
        """A piece; above: how many headings are on a page before it, which is left out."""
        self.pieces += 1
        shown = reader.pages[bool(above) :]
        pages = dict(zip((page.indirect_reference.idnum for page in shown if page.indirect_reference), self.pages))
        tree: Any = reader.root_object["/StructTreeRoot"]
        self._read_aloud(tree, above, pages)
        keys: Any = tree["/ParentTree"]["/Nums"]
        marked = dict(zip(map(int, keys[::2]), keys[1::2]))
        for page, own in zip(shown, pages.values()):
            self._show(page, own, marked.get(page.get("/StructParents", -1)))
        for mark in _bookmarks(reader)[above:]:
            self._bookmark(mark, [*pages.values()][mark.page - bool(above)])
        self.writer.reset_translation(reader)  # or it would be kept

    def _read_aloud(self, tree: Any, above: int, pages: dict[int, PageObject]) -> None:
        """Hangs the tree of a piece into that of the file."""
        from pypdf.generic import NameObject

        for branch in tree["/K"][0]["/K"][above:]:
            self._moved(branch.get_object(), pages)
            branch.get_object()[NameObject("/P")] = self.body.indirect_reference
            self.body["/K"].append(branch.clone(self.writer))
        names = tree["/IDTree"]["/Names"] if "/IDTree" in tree else []
        self.heads |= {self._renamed(name): head.clone(self.writer) for name, head in zip(names[::2], names[1::2])}
        self.tree["/RoleMap"].update(tree["/RoleMap"].clone(self.writer))

    def _moved(self, element: Any, pages: dict[int, PageObject]) -> None:
        """An element and those in it get the pages and names that they have in the file."""
        from pypdf.generic import ArrayObject, DictionaryObject, NameObject

        if not isinstance(element, DictionaryObject):
            return
        if "/Pg" in element:
            element[NameObject("/Pg")] = pages[element.raw_get("/Pg").idnum].indirect_reference
        if "/ID" in element:
            element[NameObject("/ID")] = self._renamed(element["/ID"])
        attributes: Any = element.get("/A", ())
        for attribute in attributes:
            if "/Headers" in attribute:
                attribute[NameObject("/Headers")] = ArrayObject(map(self._renamed, attribute["/Headers"]))
        inside: Any = element.get("/K", ArrayObject())
        for part in inside if isinstance(inside, ArrayObject) else [inside]:
            self._moved(part.get_object(), pages)

    def _renamed(self, name: Any) -> Any:
        from pypdf.generic import TextStringObject

        return TextStringObject(f"{self.pieces}{name}")

    def _show(self, page: PageObject, own: PageObject, marked: Any) -> None:
        """Puts what a page of a piece shows below what its own page does; marked: the elements of its marks."""
        from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject

        entries = {"/Type": NameObject("/XObject"), "/Subtype": NameObject("/Form"), "/BBox": own.mediabox}
        furniture: Any = own["/Contents"]
        drawn = self._stream(furniture.get_data(), {**entries, "/Resources": own.raw_get("/Resources")})
        shared: Any = page["/Resources"].clone(self.writer)
        resources = DictionaryObject(shared)
        resources[NameObject("/XObject")] = DictionaryObject({**resources.get("/XObject", {}), NameObject(_OWN): drawn})
        own[NameObject("/Resources")] = resources
        own[NameObject("/Contents")] = ArrayObject([self.begin, page.raw_get("/Contents").clone(self.writer), self.end])
        for key in page.keys() - {*own, "/Parent", "/Annots"}:
            own[NameObject(key)] = page.raw_get(key).clone(self.writer)
        if marked is not None:
            own[NameObject("/StructParents")] = NumberObject(self.next_key)
            self.tree["/ParentTree"]["/Nums"].extend([NumberObject(self.next_key), marked.clone(self.writer)])
            self.next_key += 1

    def _bookmark(self, mark: _Bookmark, page: PageObject) -> None:
        from pypdf.generic import Fit

        del self.marks[mark.depth :]
        parent = self.marks[-1] if self.marks else None
        fit = Fit.xyz(left=mark.left, top=mark.top, zoom=0)
        self.marks.append(self.writer.add_outline_item(title=mark.title, page_number=page, parent=parent, fit=fit, is_open=False))

    def _stream(self, data: bytes, entries: dict[str, Any] | None = None) -> Any:
        from pypdf.generic import DecodedStreamObject, NameObject

        stream = DecodedStreamObject()
        stream.set_data(data)
        stream.update({NameObject(key): value for key, value in (entries or {}).items()})
        return self.writer._add_object(stream.flate_encode() if entries else stream)

    def written(self) -> bytes:
        """The file."""
        from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject

        self.tree[NameObject("/ParentTreeNextKey")] = NumberObject(self.next_key)
        if self.heads:
            names = ArrayObject(part for name in sorted(self.heads) for part in (name, self.heads[name]))
            self.tree[NameObject("/IDTree")] = DictionaryObject({NameObject("/Names"): names})
        file = BytesIO()
        self.writer.write(file)
        return file.getvalue()
