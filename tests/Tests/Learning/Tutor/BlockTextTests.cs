using Stoa.Learning.Tutor;

namespace Stoa.Tests.Learning.Tutor;

public sealed class BlockTextTests
{
    [Theory]
    [InlineData(
        """[{"type":"paragraph","content":[{"type":"text","text":"a "},{"type":"link","href":"x","content":[{"type":"text","text":"link"}]}]}]""", "a link")]
    [InlineData("""[{"type":"heading","props":{"level":3},"content":[{"type":"text","text":"h"}]}]""", "### h")]
    [InlineData("""[{"type":"codeBlock","props":{"language":"js"},"content":[{"type":"text","text":"a\nb"}]}]""", "```js\na\nb\n```")]
    [InlineData("""
        [{"type":"numberedListItem","content":[{"type":"text","text":"a"}]},{"type":"numberedListItem","content":[{"type":"text","text":"b"}]},
        {"type":"paragraph","content":[]},{"type":"numberedListItem","content":[{"type":"text","text":"c"}]}]
        """, "1. a\n2. b\n\n1. c")]
    [InlineData(
        """[{"type":"checkListItem","props":{"checked":true},"content":[{"type":"text","text":"a"}]},{"type":"checkListItem","content":[]}]""", "- [x] a\n- [ ] ")]
    [InlineData("""
        [{"type":"bulletListItem","content":[{"type":"text","text":"a"}],"children":[{"type":"bulletListItem","content":[{"type":"text","text":"b"}]}]}]
        """, "- a\n    - b")]
    [InlineData("""[{"type":"image","props":{"url":"https://x/y.png","caption":"A cat"}}]""", "[image: A cat, https://x/y.png]")]
    [InlineData(
        """[{"type":"table","content":{"type":"tableContent","rows":[{"cells":[[{"type":"text","text":"a"}],{"content":[{"type":"text","text":"b"}]}]}]}}]""", "a | b")]
    [InlineData("""[{"type":"unknown","content":"?"},7,null]""", "")]
    [InlineData("""{"not":"a list"}""", "")]
    [InlineData(null, "")]
    public void Blocks_become_Markdown(string? json, string text) => Assert.Equal(text, BlockText.Of(json));

    [Fact]
    public void A_page_of_Notion_becomes_text()
    {
        const string Json = """
            [{"type":"notion","content":[
              {"type":"heading_2","heading_2":{"rich_text":[{"plain_text":"Title"}]}},
              {"type":"to_do","to_do":{"checked":true,"rich_text":[{"text":{"content":"done"}}]}},
              {"type":"toggle","toggle":{"rich_text":[{"plain_text":"more"}],"children":[{"type":"quote","quote":{"rich_text":[{"plain_text":"q"}]}}]}},
              {"type":"callout","callout":{"rich_text":[{"plain_text":"hint"}]}},
              {"type":"table","children":[{"type":"table_row","table_row":{"cells":[[{"plain_text":"a"}],[{"plain_text":"b"}]]}}]},
              {"type":"image","image":{}}]}]
            """;

        Assert.Equal("## Title\n[x] done\n▶ more\n  > q\n💡 hint\na | b", BlockText.Of(Json));
    }
}
