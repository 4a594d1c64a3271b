using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Stoa.Learning.Tutor;

/// <summary>The blocks of Notion's API, as they lie in a block <c>notion</c>, as Markdown.</summary>
internal static class NotionText
{
    private const string Indent = "  ";
    private const string UsualCallout = "💡";
    private const int MaxDepth = 32;

    public static void Write(StringBuilder text, JsonElement blocks, int depth)
    {
        if (blocks.ValueKind != JsonValueKind.Array || depth > MaxDepth)
        {
            return;
        }
        var number = 0;
        foreach (var block in blocks.EnumerateArray())
        {
            var type = block.Word("type");
            var body = block.Part(type);
            number = type == "numbered_list_item" ? number + 1 : 0;
            var children = ChildrenOf(block, body);
            if (type == "table")
            {
                WriteTable(text, children, depth);
                continue;
            }
            if (LineOf(type, body, number) is { } line)
            {
                BlockText.WriteLines(text, line, string.Concat(Enumerable.Repeat(Indent, depth)));
            }
            // A container is only there for what it holds.
            Write(text, children,
                type is "bulleted_list" or "numbered_list" or "column_list" or "column" or "synced_block" ? depth : depth + 1);
        }
    }

    private static string? LineOf(string type, JsonElement body, int number) => type switch
    {
        "paragraph" => Rich(body),
        "heading_1" => $"# {Rich(body)}",
        "heading_2" => $"## {Rich(body)}",
        "heading_3" => $"### {Rich(body)}",
        "bulleted_list_item" => $"- {Rich(body)}",
        "numbered_list_item" => string.Create(CultureInfo.InvariantCulture, $"{number}. {Rich(body)}"),
        "to_do" => $"[{(body.Part("checked").ValueKind == JsonValueKind.True ? "x" : " ")}] {Rich(body)}",
        "toggle" => $"▶ {Rich(body)}",
        "quote" => $"> {Rich(body)}",
        "callout" => $"{(body.Part("icon").Word("emoji") is { Length: > 0 } icon ? icon : UsualCallout)} {Rich(body)}",
        "code" => $"```{body.Word("language")}\n{Rich(body)}\n```",
        "equation" => body.Word("expression"),
        _ => null,
    };

    private static string Rich(JsonElement body) => Cell(body.Part("rich_text"));

    private static string Cell(JsonElement pieces) => pieces.ValueKind != JsonValueKind.Array
        ? ""
        : string.Concat(pieces.EnumerateArray().Select(piece =>
            piece.Word("plain_text") is { Length: > 0 } plain ? plain : piece.Part("text").Word("content")));

    private static JsonElement ChildrenOf(JsonElement block, JsonElement body) =>
        block.Part("children") is { ValueKind: JsonValueKind.Array } own ? own : body.Part("children");

    private static void WriteTable(StringBuilder text, JsonElement rows, int depth)
    {
        if (rows.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        foreach (var row in rows.EnumerateArray())
        {
            if (row.Part("table_row").Part("cells") is { ValueKind: JsonValueKind.Array } cells)
            {
                BlockText.WriteLines(
                    text, string.Join(" | ", cells.EnumerateArray().Select(Cell)), string.Concat(Enumerable.Repeat(Indent, depth)));
            }
        }
    }
}
