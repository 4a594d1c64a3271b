using System.IO.Compression;
using System.Text;
using System.Xml;
using DocumentFormat.OpenXml.Packaging;
using Markdig;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents.Reading;

internal enum ContentKind
{
    Html,
    Plain,
    Markdown,
    Pdf,
    Docx,
}

/// <summary>Files and pages that are no HTML: what is there to be read.</summary>
internal sealed class FileText(PdfText pdf, IOptions<DocumentsOptions> options, TimeProvider time)
{
    // Of a table or a letter the database keeps no more than this in one document.
    private const int LongestText = 16 << 20;

    private static readonly MarkdownPipeline Markdowns = new MarkdownPipelineBuilder().UsePipeTables().UseYamlFrontMatter().Build();

    /// <summary>Null for what cannot be read here.</summary>
    public static ContentKind? KindOf(string? mediaType, string path)
    {
        var type = mediaType?.Split(';')[0].Trim().ToLowerInvariant();
        return type switch
        {
            "text/html" or "application/xhtml+xml" => ContentKind.Html,
            "text/markdown" or "text/x-markdown" => ContentKind.Markdown,
            "application/pdf" => ContentKind.Pdf,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ContentKind.Docx,
            "text/plain" or null or "" or "application/octet-stream" => Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".md" or ".markdown" => ContentKind.Markdown,
                ".html" or ".htm" or ".xhtml" => ContentKind.Html,
                ".pdf" => ContentKind.Pdf,
                ".docx" => ContentKind.Docx,
                ".txt" or ".text" => ContentKind.Plain,
                _ => type == "text/plain" ? ContentKind.Plain : null,
            },
            _ => null,
        };
    }

    /// <exception cref="Failure">The file is broken, larger than allowed when unpacked, or of a kind that cannot be read on this
    /// machine.</exception>
    public async Task<ReadableText> ReadAsync(ContentKind kind, ReadOnlyMemory<byte> bytes, string? charset, CancellationToken ct) =>
        kind switch
    {
        ContentKind.Html => await OfHtmlAsync(Charset.Decode(bytes.Span, charset), ct),
        ContentKind.Plain => new("", Clean(Charset.Decode(bytes.Span, charset))),
        // By way of HTML, so that what is a heading, code or a table is known; the tags of the text itself are gone with it.
        ContentKind.Markdown => await OfMarkdownAsync(Charset.Decode(bytes.Span, charset), ct),
        ContentKind.Docx => OfDocx(bytes),
        ContentKind.Pdf => new("", Clean(await pdf.ReadAsync(bytes, ct))),
    };

    private async Task<ReadableText> OfHtmlAsync(string html, CancellationToken ct) =>
        (await HtmlPage.ParseAsync(html, new("about:blank"), robot: "", time, ct)).Readable;

    private async Task<ReadableText> OfMarkdownAsync(string text, CancellationToken ct)
    {
        string html;
        try
        {
            html = Markdown.ToHtml(text, Markdowns);
        }
        catch (ArgumentException)
        {
            // Nested without end; what it says is a text all the same.
            return new("", Clean(text));
        }
        return await OfHtmlAsync(html, ct);
    }

    /// <summary>As a stream: built up as a tree, a small file that is nested without end would take the host down.</summary>
    private ReadableText OfDocx(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var stream = new MemoryStream(bytes.ToArray(), writable: false);
            var mostUnpacked = options.Value.MaxPageKb * 1024L * 8;
            RequireModest(stream, mostUnpacked);
            using var document = WordprocessingDocument.Open(stream, isEditable: false);
            using var part = document.MainDocumentPart?.GetStream(FileMode.Open, FileAccess.Read) ?? throw Unreadable("document");
            var settings = new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = mostUnpacked,
            };
            using var reader = XmlReader.Create(part, settings);
            return new(TextCleaning.CleanLine(document.PackageProperties.Title ?? ""), Clean(ParagraphsOf(reader)));
        }
        catch (Exception broken)
            when (broken
                is OpenXmlPackageException or InvalidDataException or IOException or XmlException or FormatException or InvalidOperationException)
        {
            throw Unreadable("document");
        }
    }

    /// <summary>What a package says of itself is read whole, and two megabytes can unpack to more of it than the host has memory.</summary>
    private static void RequireModest(Stream stream, long most)
    {
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true))
        {
            if (zip.Entries.Sum(entry => entry.Length) > most)
            {
                throw new Failure(FailureKind.TooLarge, "too_large", "The document is too large when it is unpacked");
            }
        }
        stream.Position = 0;
    }

    private static string ParagraphsOf(XmlReader reader)
    {
        var text = new StringBuilder();
        var isText = false;
        while (reader.Read())
        {
            switch (reader.NodeType, reader.LocalName)
            {
                case (XmlNodeType.Element, "t"):
                    isText = !reader.IsEmptyElement;
                    break;
                case (XmlNodeType.EndElement, "t"):
                    isText = false;
                    break;
                case (XmlNodeType.Element, "tab"):
                    text.Append(' ');
                    break;
                case (XmlNodeType.Element, "br") or (XmlNodeType.EndElement, "p"):
                    text.Append('\n');
                    break;
                case (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace, _) when isText:
                    text.Append(reader.Value);
                    break;
            }
        }
        return text.ToString();
    }

    internal static Failure Unreadable(string what) => new(FailureKind.Invalid, "unreadable_file", $"The {what} cannot be read");

    private static string Clean(string text) =>
        TextCleaning.Clean(text.Length <= LongestText ? text
            : throw new Failure(FailureKind.TooLarge, "too_large", "The text is too long"));
}
