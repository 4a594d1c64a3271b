using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Stoa.Learning.Tutor;

/// <summary>Documents of blocks as the Markdown that models are given.</summary>
internal static class BlockText
{
    private const string Indent = "    ";
    private const int MaxDepth = 32;

    /// <param name="json">A JSON array of blocks; null and what is no array make no text.</param>
    public static string Of(string? json)
    {
        if (json is null)
        {
            return "";
        }
        using var document = JsonDocument.Parse(json);
        return Of(document.RootElement);
    }

    public static string Of(JsonElement blocks)
    {
        var text = new StringBuilder();
        Write(text, blocks, depth: 0);
        return text.ToString().TrimEnd('\n');
    }

    private static void Write(StringBuilder text, JsonElement blocks, int depth)
    {
        if (blocks.ValueKind != JsonValueKind.Array || depth > MaxDepth)
        {
            return;
        }
        var number = 0;
        foreach (var block in blocks.EnumerateArray())
        {
            if (block.ValueKind != JsonValueKind.Object)
            {
                continue;
            }
            var type = block.Word("type");
            number = type == "numberedListItem" ? number + 1 : 0;
            if (type == "notion")
            {
                NotionText.Write(text, block.Part("content"), depth: 0);
            }
            else if (LineOf(block, type, number) is { } line)
            {
                WriteLines(text, line, string.Concat(Enumerable.Repeat(Indent, depth)));
            }
            Write(text, block.Part("children"), depth + 1);
        }
    }

    private static string? LineOf(JsonElement block, string type, int number) => type switch
    {
        "paragraph" or "quote" => Inline(block.Part("content")),
        "heading" => $"{new string('#', Level(block))} {Inline(block.Part("content"))}",
        "codeBlock" => $"```{block.Part("props").Word("language")}\n{Inline(block.Part("content"))}\n```",
        "numberedListItem" => string.Create(CultureInfo.InvariantCulture, $"{number}. {Inline(block.Part("content"))}"),
        "bulletListItem" => $"- {Inline(block.Part("content"))}",
        "checkListItem" =>
            $"- [{(block.Part("props").Part("checked").ValueKind == JsonValueKind.True ? "x" : " ")}] {Inline(block.Part("content"))}",
        "image" or "audio" or "video" or "file" => MediaOf(block.Part("props"), type),
        "table" => TableOf(block.Part("content")),
        _ => null,
    };

    private static string Inline(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }
        if (content.ValueKind != JsonValueKind.Array)
        {
            return "";
        }
        var text = new StringBuilder();
        foreach (var item in content.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object)
            {
                text.Append(item.Word("type") == "link" ? Inline(item.Part("content")) : item.Word("text"));
            }
        }
        return text.ToString();
    }

    private static int Level(JsonElement block) =>
        block.Part("props").Part("level") is { ValueKind: JsonValueKind.Number } level
            && level.TryGetInt32(out var depth) ? Math.Clamp(depth, 1, 6) : 1;

    // A model that cannot see them shall know that there is something.
    private static string? MediaOf(JsonElement props, string type)
    {
        var said = string.Join(
            ", ", new[] { props.Word("caption"), props.Word("name"), props.Word("url") }.Where(word => word.Length > 0).Take(2));
        return said.Length == 0 ? null : $"[{type}: {said}]";
    }

    private static string TableOf(JsonElement content)
    {
        var rows = new List<string>();
        if (content.Part("rows") is { ValueKind: JsonValueKind.Array } all)
        {
            foreach (var row in all.EnumerateArray())
            {
                rows.Add(row.Part("cells") is { ValueKind: JsonValueKind.Array } cells
                    ? string.Join(" | ",
                        cells.EnumerateArray().Select(cell => Inline(cell.ValueKind == JsonValueKind.Object ? cell.Part("content") : cell)))
                    : "");
            }
        }
        return string.Join('\n', rows);
    }

    internal static void WriteLines(StringBuilder text, string lines, string indent)
    {
        foreach (var line in lines.Split('\n'))
        {
            text.Append(indent).Append(line).Append('\n');
        }
    }
}

/// <summary>Reading of JSON that people and other systems have written: what is not there, or something else, is nothing.</summary>
internal static class LooseJson
{
    public static JsonElement Part(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var part) ? part : default;

    public static string Word(this JsonElement element, string name) =>
        element.Part(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
