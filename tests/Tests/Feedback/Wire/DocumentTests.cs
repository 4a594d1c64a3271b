using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Wire;

/// <summary>The API document says of queries and bodies what the original's says.</summary>
public sealed class DocumentTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_route_takes_is_described_as_in_the_original()
    {
        var contract = Repository.Shared("contracts/feedback.openapi.json");
        Assert.SkipUnless(contract is not null, "../shared/contracts/feedback.openapi.json is not here.");
        var theirs = Described(JsonNode.Parse(await File.ReadAllTextAsync(contract, Ct))!);
        var ours = Described(JsonNode.Parse(await shared.Host.Client.GetStringAsync("/openapi/feedback.json", Ct))!);

        Assert.Subset(ours.Keys.ToHashSet(), theirs.Keys.ToHashSet());
        Assert.Equal(
            theirs.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}: {one.Value}"),
            ours.Where(one => theirs.ContainsKey(one.Key))
            .OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}: {one.Value}"));
    }

    [Fact]
    public async Task Where_the_acting_user_is_honoured_the_document_says_how_he_is_named()
    {
        var paths = JsonNode.Parse(await shared.Host.Client.GetStringAsync("/openapi/feedback.json", Ct))!["paths"]!;

        Assert.Equal(["header X-OASST-USER", "query oasst_user"], Named("/api/v1/messages/{message_id}", "get"));
        Assert.Empty(Named("/api/v1/messages/{message_id}/emoji", "post"));

        IEnumerable<string> Named(string path, string method) =>
            from parameter in paths[path]![method]!["parameters"]?.AsArray() ?? []
            where (string)parameter!["name"]! is "oasst_user" or "X-OASST-USER"
            orderby (string)parameter["in"]!
            select $"{parameter["in"]} {parameter["name"]}";
    }

    /// <summary>Each operation with its parameters and its bodies, one line each.</summary>
    private static Dictionary<string, string> Described(JsonNode document) => (
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (Name: $"{operation.Key} {path.Key.TrimEnd('/')}",
            Takes: $"{Query(document, operation.Value!)} {Body(document, operation.Value!)}"))
        .ToDictionary(one => one.Name, one => one.Takes, StringComparer.Ordinal);

    private static string Query(JsonNode document, JsonNode operation) => string.Join(", ",
        from parameter in operation["parameters"]?.AsArray() ?? []
        where (string)parameter!["in"]! == "query" && (string)parameter["name"]! is not ("api_key" or "oasst_user")
        orderby (string)parameter["name"]!
        select $"{parameter["name"]}{Needed((bool?)parameter["required"])} {Type(document, parameter["schema"]!)}");

    private static string Body(JsonNode document, JsonNode operation)
    {
        if (operation["requestBody"] is not { } body)
        {
            return "";
        }
        var schema = body["content"]!["application/json"]!["schema"]!;
        var shapes = schema["anyOf"]?.AsArray().Select(one => one!) ?? [schema];
        return Needed((bool?)body["required"]) + string.Join(" | ", shapes.Select(shape => Shape(document, Resolve(document, shape))));
    }

    private static string Shape(JsonNode document, JsonNode schema)
    {
        var required = schema["required"]?.AsArray().Select(name => (string)name!).ToHashSet() ?? [];
        return $"{{{string.Join(", ",
            from property in schema["properties"]!.AsObject()
            orderby property.Key
            select $"{property.Key}{Needed(required.Contains(property.Key))} {Type(document, property.Value!)}")}}}";
    }

    private static string Type(JsonNode document, JsonNode schema)
    {
        var resolved = Resolve(document, schema);
        return (string?)resolved["type"] == "array" ? $"[{Type(document, resolved["items"]!)}]" : (string)resolved["type"]!;
    }

    private static JsonNode Resolve(JsonNode document, JsonNode schema) =>
        schema["allOf"] is JsonArray all ? Resolve(document, all[0]!)
        : (string?)schema["$ref"] is { } reference
            ? reference[2..].Split('/').Aggregate(document, (node, name) => node[name]!)
            : schema;

    private static string Needed(bool? isRequired) => isRequired == true ? "!" : "";
}
