"""PDF and DOCX files, and verdicts in other people's formats."""

import io
import json

import docx
import pytest
from typer.testing import CliRunner

from chipweir.cli import root
from chipweir.errors import InputError
from chipweir.evidence import FORMATS, check_document, document_from_text, exported, read


LINES = (
    ("Nvidia's data-center unit brought in $18.4 billion in the three months", "to January 2024."),
    ("The H20 carries 64 gigabytes of HBM3. The Nvidia H200 comes with 141GB", "of memory."),
)


def pdf(pages=LINES):
    """A PDF with a text layer, one page for each group of lines."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for n, lines in enumerate(pages):
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 40 780 Td {shown} ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * n} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)


@pytest.fixture
def paper(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf())
    return path


def test_claims_of_a_pdf_keep_their_page_and_their_place(paper):
    result = CliRunner().invoke(root, ["check", str(paper), "--published", "2025-06-10", "--json"])
    record = json.loads(result.stdout)
    text = read(paper).text
    assert record["document"]["format"] == "pdf"
    verdicts = {(claim["page"], claim["verdict"]) for claim in record["claims"]}
    assert {(1, "consistent"), (2, "contradicted"), (2, "consistent")} <= verdicts
    for claim in record["claims"]:
        figure = record["quantities"][claim["quantity"]]
        assert text[figure["start"] : figure["end"]] == figure["surface"]


def test_lines_of_a_page_flow_into_sentences(paper):
    assert "in the three months to January 2024." in read(paper).text


def test_a_docx_is_read_with_its_tables(tmp_path):
    made = docx.Document()
    made.add_paragraph("화웨이 어센드 910C는 128GB 메모리를 달고 있다.")
    table = made.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "H100 memory", "80 GB"
    made.save(tmp_path / "a.docx")
    document = read(tmp_path / "a.docx", published="2025-06-10")
    assert document.format == "docx"
    assert "H100 memory | 80 GB" in document.text
    assert any(v.status == "consistent" for v in check_document(document).article.verdicts)


@pytest.mark.parametrize("data", [b"%PDF-1.7\n" + bytes(500), pdf()[:300], pdf(((),))], ids=["zeros", "cut", "no text"])
def test_a_pdf_that_holds_nothing_is_one_line(tmp_path, data):
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(InputError, match="PDF") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_packed_file_that_is_no_docx_is_one_line(tmp_path):
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("word/other.xml", "<a/>")
    (tmp_path / "a.docx").write_bytes(held.getvalue())
    with pytest.raises(InputError, match="DOCX cannot be read"):
        read(tmp_path / "a.docx")


TEXT = "The H20 carries 64 gigabytes of HBM3. Nvidia's H100 has 80GB of memory. Who knows?"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_decided_claims_are_exported_and_no_others(kind, language):
    checked = check_document(document_from_text(TEXT, published="2025-06-10"))
    page = exported(checked, kind, language)
    items = page["@graph"] if kind == "claimreview" else page["items"]
    assert len(items) == sum(v.status in {"contradicted", "consistent"} for v in checked.article.verdicts) > 1
    assert json.loads(json.dumps(page)) == page


def test_a_claim_review_rates_the_sentence_as_it_stands_to_the_record():
    checked = check_document(document_from_text(TEXT, published="2025-06-10"))
    reviews = exported(checked, "claimreview")["@graph"]
    rated = {one["claimReviewed"]: one["reviewRating"]["ratingValue"] for one in reviews}
    assert rated["The H20 carries 64 gigabytes of HBM3."] == 1
    assert rated["Nvidia's H100 has 80GB of memory."] == 5
    assert all(one["@type"] == "ClaimReview" and one["datePublished"] for one in reviews)


def test_an_annotation_quotes_what_stands_at_its_place():
    checked = check_document(document_from_text(TEXT, published="2025-06-10"))
    for one in exported(checked, "annotation")["items"]:
        quote, place = one["target"]["selector"][:2]
        assert TEXT[place["start"] : place["end"]] == quote["exact"]
        assert one["motivation"] == "assessing"


def test_an_unknown_format_is_one_line(paper):
    result = CliRunner().invoke(root, ["check", str(paper), "--export", "word"])
    assert result.exit_code != 0
