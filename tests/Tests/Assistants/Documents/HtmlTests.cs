using System.Text;
using Stoa.Assistants.Documents.Reading;
using Stoa.Platform.Http;

namespace Stoa.Tests.Assistants.Documents;

public sealed class HtmlTests
{
    private static readonly Uri Address = new("https://example.org/docs/page.html");

    [Fact]
    public async Task What_is_there_to_be_read_is_kept_and_the_rest_is_dropped()
    {
        var page = await ParseAsync(
            """
            <html lang="de-AT"><head><title> A  page
            </title><style>p { color: red }</style><script>alert(1)</script></head><body>
            <header>Site head</header><nav>Menu</nav><div class="navheader">Up Next</div>
            <h1>Heading</h1><p>First <b>bold</b> paragraph.</p><p style="display: none">hidden one</p><p hidden>hidden two</p>
            <div aria-hidden="true">hidden three</div>
            <pre><code>SELECT 1
              FROM t;</code></pre>
            <table><tr><td>a</td><td>b</td></tr></table><ul><li>one</li><li>two</li></ul>
            <article><header>Own head</header><p>Text of it.</p></article>
            <noscript>noscript</noscript><footer>Site foot</footer></body></html>
            """);

        Assert.Equal("A page", page.Readable.Title);
        Assert.Equal("de", page.Readable.Language);
        Assert.Equal(
            ["Heading", "First bold paragraph.", "SELECT 1", "  FROM t;", "a b", "one", "two", "Own head", "Text of it."],
            page.Readable.Text.Split('\n'));
    }

    [Fact]
    public async Task Links_are_resolved_and_those_that_want_no_visitors_are_left_out()
    {
        var page = await ParseAsync(
            """
            <base href="/manual/"><a href="a.html#x">a</a><a href="a.html#y">a again</a><a href="https://other.example/b">b</a>
            <a rel="nofollow" href="c">c</a><a href="mailto:x@example.org">m</a><a href="http://[broken">d</a><link rel="canonical" href="/p">
            """);

        Assert.Equal(["https://example.org/manual/a.html#x", "https://other.example/b", "mailto:x@example.org"],
            page.Links.Select(link => link.AbsoluteUri));
        Assert.Equal("https://example.org/p", page.Canonical!.AbsoluteUri);
        Assert.True(page is { MayBeKept: true, MayBeFollowed: true });
    }

    [Theory]
    [InlineData("robots", "noindex", false, true)]
    [InlineData("ROBOTS", "NoIndex, NoFollow", false, false)]
    [InlineData("stoabot", "none", false, false)]
    [InlineData("otherbot", "none", true, true)]
    public async Task A_page_that_does_not_want_to_be_kept_says_so(string name, string wish, bool isKept, bool isFollowed)
    {
        var page = await ParseAsync($"""<meta name="{name}" content="{wish}"><p>Text</p>""");

        Assert.Equal((isKept, isFollowed), (page.MayBeKept, page.MayBeFollowed));
    }

    [Fact]
    public async Task A_soup_of_scripts_is_read_and_what_is_nested_without_end_is_given_up()
    {
        var soup = await ParseAsync($"{string.Concat(Enumerable.Repeat("<script>if (a<b) {</script><p>", 5_000))}end");
        var endless = await Assert.ThrowsAsync<Failure>(() => ParseAsync(string.Concat(Enumerable.Repeat("<div><b x>", 200_000))));

        Assert.Equal("end", soup.Readable.Text);
        Assert.Equal("page_too_complex", endless.Code);
    }

    [Fact]
    public void Bytes_are_read_in_the_charset_that_is_declared()
    {
        Assert.Equal("é", Charset.Decode([0xef, 0xbb, 0xbf, 0xc3, 0xa9], "iso-8859-1"));
        Assert.Equal("é", Charset.Decode([0xe9], "ISO-8859-1"));
        Assert.Equal("é€", Charset.Decode([0xe9, 0x80], null));
        Assert.Equal("é", Charset.Decode([0xc3, 0xa9], null));
        Assert.Equal("é", Charset.Decode([0xc3, 0xa9], "no-such-charset"));
        Assert.EndsWith("日", Charset.Decode([.. """<meta charset="shift_jis">"""u8, 0x93, 0xfa], null), StringComparison.Ordinal);
        Assert.Equal("<meta charset=utf-7>+ADw-", Charset.Decode("<meta charset=utf-7>+ADw-"u8, null));
    }

    [Fact]
    public void Text_that_no_database_keeps_is_taken_out()
    {
        var text = TextCleaning.Clean("a\0b\ud800c\r\n\r\n \t\nd\u0001e  ");

        Assert.Equal("ab\ufffdc\nde", text);
        Assert.Equal(255, TextCleaning.CleanLine(new string('x', 300)).Length);
        Assert.Equal(254, TextCleaning.CleanLine(new string('x', 254) + "😀").Length);
        Assert.Equal(Encoding.UTF8.GetByteCount(text), text.Length + 2);
    }

    private static Task<HtmlPage> ParseAsync(string html) =>
        HtmlPage.ParseAsync(html, Address, "StoaBot", TimeProvider.System, TestContext.Current.CancellationToken);
}
