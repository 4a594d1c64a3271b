using System.Text.Json.Nodes;
using Stoa.Host;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary><c>docs/wire/learning.md</c> says of each route how it stands, and says the truth.</summary>
public sealed class WireDocumentTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_has_a_row_that_says_that_it_is_there()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var routes = WireDocument.RoutesOf(WireDocument.Endpoints(app).Where(endpoint =>
            endpoint.IsOf("learning") && !WireDocument.PathOf(endpoint).StartsWith("/learning/_svc/", StringComparison.Ordinal)));

        Assert.Contains("GET /learning/tasks/{task_id}", routes);
        WireDocument.Agree(await WireDocument.RowsAsync("learning.md"), routes);
    }

    [Fact]
    public async Task Every_route_of_the_contract_has_a_row() =>
        Assert.Empty(await WireDocument.WithoutRowAsync("learning.openapi.json", "/learning", await WireDocument.RowsAsync("learning.md")));

    [Fact]
    public async Task The_document_names_what_the_contract_names()
    {
        var contract = Repository.Shared("contracts/learning.openapi.json");
        Assert.SkipUnless(contract is not null, "../shared/contracts/learning.openapi.json is not here.");
        await using var host = await HostUnderTest.StartAsync();
        var wanted = JsonNode.Parse(await File.ReadAllTextAsync(contract, Ct))!;
        var served = JsonNode.Parse(await host.Client.GetStringAsync("/openapi/learning.json", Ct))!;
        var operations = OperationsOf(served)
            .ToDictionary(one => one.Name.Replace(" /learning", " ", StringComparison.Ordinal).TrimEnd('/'), one => one.Node);

        List<string> missing = [];
        foreach (var (name, operation) in OperationsOf(wanted))
        {
            var there = operations[name.TrimEnd('/')];
            // The key of a program is a credential here.
            missing.AddRange(Parameters(operation).Except([.. Parameters(there), "header api-key"]).Select(one => $"{name}: {one}"));
            // What the original takes and never looks at.
            missing.AddRange(Fields(wanted, operation)
                .Except([.. Fields(served, there), "assignment.id", "assignment.type"]).Select(one => $"{name}: {one}"));
        }
        Assert.Empty(missing);
        Assert.DoesNotContain(operations.Values.SelectMany(Parameters), name => name.Any(char.IsUpper));
    }

    private static IEnumerable<(string Name, JsonNode Node)> OperationsOf(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where operation.Key != "parameters"
        select ($"{operation.Key.ToUpperInvariant()} {path.Key}", operation.Value);

    private static IEnumerable<string> Parameters(JsonNode operation) =>
        (operation["parameters"]?.AsArray() ?? []).Select(parameter => $"{parameter!["in"]} {parameter["name"]}");

    /// <summary>Of a JSON body; those of an assignment's are named by what it saves.</summary>
    private static IEnumerable<string> Fields(JsonNode document, JsonNode operation)
    {
        var schema = operation["requestBody"]?["content"]?["application/json"]?["schema"];
        if ((string?)schema?["$ref"] is { } name)
        {
            schema = document["components"]!["schemas"]![name.Split('/')[^1]];
        }
        var fields = (schema?["properties"]?.AsObject() ?? []).Select(property => property.Key).ToList();
        return fields.Contains("assignment") ? fields.Select(field => field is "id" or "type" ? $"assignment.{field}" : field) : fields;
    }
}
