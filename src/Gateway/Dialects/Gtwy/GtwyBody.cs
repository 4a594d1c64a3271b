using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gtwy;

/// <summary>
/// The body of a request of GTWY's wire: one JSON object, empty when nothing was sent. What comes through can be stored and read again:
/// no NUL, no half characters, numbers of a usual size. Of a repeated key the last one counts.
/// </summary>
internal sealed record GtwyBody(JsonObject Members)
{
    // What is stored is put into documents of ours and must stay readable there, where 64 levels are the most.
    private const int MaxDepth = 40;
    private const double MaxNumber = 1e100;

    public static async ValueTask<GtwyBody?> BindAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
        if (bytes.Length == 0)
        {
            return new([]);
        }
        using var document = JsonBody.Open(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? new(Object(document.RootElement, 0))
            : throw Failure.Invalid("The body must be an object", code: "invalid_type");
    }

    private static JsonObject Object(JsonElement element, int depth)
    {
        var made = new JsonObject();
        foreach (var member in element.EnumerateObject())
        {
            made[Text(member.Name)] = Value(member.Value, Deeper(depth));
        }
        return made;
    }

    private static JsonNode? Value(JsonElement element, int depth) => element.ValueKind switch
    {
        JsonValueKind.Object => Object(element, depth),
        JsonValueKind.Array => new JsonArray([.. element.EnumerateArray().Select(item => Value(item, Deeper(depth)))]),
        JsonValueKind.String => JsonValue.Create(Text(element.GetString()!)),
        JsonValueKind.Number => Number(element),
        JsonValueKind.True => JsonValue.Create(true),
        JsonValueKind.False => JsonValue.Create(false),
        _ => null,
    };

    private static string Text(string text) => !text.Contains('\0', StringComparison.Ordinal) ? text
        : throw Failure.Invalid("The body holds the character NUL, which no text may have", code: "invalid_value");

    private static JsonValue Number(JsonElement number)
    {
        var value = number.GetDouble();
        return Math.Abs(value) <= MaxNumber
            && (value != 0 || !number.GetRawText().AsSpan().ContainsAnyInRange('1', '9') || number.TryGetDecimal(out _))
            && number.GetRawText().Length <= 128
            ? JsonValue.Create(number.Clone())!
            : throw Failure.Invalid("The body holds a number that is too large or too small", code: "invalid_value");
    }

    private static int Deeper(int depth) =>
        depth < MaxDepth ? depth + 1 : throw Failure.Invalid($"The body may be nested at most {MaxDepth} deep", code: "invalid_value");
}
