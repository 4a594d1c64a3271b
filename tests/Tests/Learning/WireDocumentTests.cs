using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Stoa.Host;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary><c>docs/wire/learning.md</c> says of each route how it stands, and says the truth.</summary>
public sealed partial class WireDocumentTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_has_a_row_that_says_that_it_is_there()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var rows = await RowsAsync();

        var routes = (from endpoint in ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                      where endpoint.Metadata.GetMetadata<IEndpointGroupNameMetadata>()?.EndpointGroupName == "learning"
                      let path = $"/{Parameter().Replace(endpoint.RoutePattern.RawText!, "{${name}}").Trim('/')}"
                      where !path.StartsWith("/learning/_svc/", StringComparison.Ordinal)
                      from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
                      select $"{method} {path}").ToHashSet(StringComparer.Ordinal);

        Assert.Contains("GET /learning/tasks/{task_id}", routes);
        Assert.DoesNotContain(routes, route => !rows.TryGetValue(route, out var state) || state == "not yet");
        Assert.DoesNotContain(rows, row => row.Value != "not yet" && !routes.Contains(row.Key));
    }

    [Fact]
    public async Task Every_route_of_the_contract_has_a_row()
    {
        var contract = Repository.Shared("contracts/learning.openapi.json");
        Assert.SkipUnless(contract is not null, "../shared/contracts/learning.openapi.json is not here.");
        var paths = JsonNode.Parse(await File.ReadAllTextAsync(contract, Ct))!["paths"]!.AsObject();
        var rows = await RowsAsync();

        Assert.Empty(from path in paths
                     from operation in path.Value!.AsObject()
                     let route = $"{operation.Key.ToUpperInvariant()} /learning{path.Key.TrimEnd('/')}"
                     where !rows.ContainsKey(route)
                     select route);
    }

    private static async Task<Dictionary<string, string>> RowsAsync() =>
        Row().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "wire", "learning.md"), Ct))
            .ToDictionary(row => row.Groups["route"].Value.TrimEnd('/'), row => row.Groups["state"].Value, StringComparer.Ordinal);

    [GeneratedRegex(@"^\| `(?<route>[A-Z]+ /[^`]*)` \| (?<state>[a-z ]+) \|", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Row();

    [GeneratedRegex(@"\{\**(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Parameter();
}
