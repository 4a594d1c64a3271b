using System.Xml;

namespace Stoa.Assistants.Documents.Crawling;

/// <summary>A sitemap's addresses: of pages, or of more sitemaps.</summary>
/// <param name="Pages">At most <see cref="Most"/>.</param>
internal sealed record Sitemap(IReadOnlyList<string> Pages, IReadOnlyList<string> More)
{
    private const int Most = 50_000;

    private static readonly XmlReaderSettings Settings =
        new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true };

    /// <summary>As far as it can be read.</summary>
    public static Sitemap Parse(ReadOnlyMemory<byte> bytes)
    {
        var (pages, more) = (new List<string>(), new List<string>());
        try
        {
            using var stream = new MemoryStream(bytes.ToArray(), writable: false);
            using var reader = XmlReader.Create(stream, Settings);
            var isIndex = false;
            while (reader.Read() && pages.Count < Most && more.Count < Most)
            {
                if (reader.NodeType != XmlNodeType.Element)
                {
                    continue;
                }
                isIndex |= reader.Depth == 0 && reader.LocalName == "sitemapindex";
                if (reader.LocalName == "loc" && reader.Depth == 2 && !reader.IsEmptyElement)
                {
                    (isIndex ? more : pages).Add(reader.ReadElementContentAsString().Trim());
                }
            }
        }
        catch (XmlException)
        {
            // What came before the fault is as good as any.
        }
        return new(pages, more);
    }
}
