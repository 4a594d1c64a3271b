using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Tests.Support;

/// <summary>A table of routes in <c>docs/wire</c>, and the routes that it speaks of.</summary>
internal static partial class WireDocument
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>By route (<c>GET /tasks/{task_id}</c>), how it stands.</summary>
    public static async Task<Dictionary<string, string>> RowsAsync(string file) =>
        Row().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "wire", file), Ct))
            .ToDictionary(row => row.Groups["route"].Value.TrimEnd('/'), row => row.Groups["state"].Value, StringComparer.Ordinal);

    /// <summary>What is there has a row that says so, and what a row says is there.</summary>
    public static void Agree(IReadOnlyDictionary<string, string> rows, IReadOnlySet<string> routes)
    {
        Assert.DoesNotContain(routes, route => !rows.TryGetValue(route, out var state) || state == "not yet");
        Assert.DoesNotContain(rows, row => row.Value != "not yet" && !routes.Contains(row.Key));
    }

    /// <summary>The contract's routes that have no row. Skips where the contract is not beside the checkout.</summary>
    public static async Task<IReadOnlyList<string>> WithoutRowAsync(
        string contract, string prefix, IReadOnlyDictionary<string, string> rows)
    {
        var path = Repository.Shared($"contracts/{contract}");
        Assert.SkipUnless(path is not null, $"../shared/contracts/{contract} is not here.");
        return [.. from one in JsonNode.Parse(await File.ReadAllTextAsync(path, Ct))!["paths"]!.AsObject()
                   from operation in one.Value!.AsObject()
                   let route = $"{operation.Key.ToUpperInvariant()} {prefix}{one.Key.TrimEnd('/')}"
                   where !rows.ContainsKey(route)
                   select route];
    }

    public static IEnumerable<RouteEndpoint> Endpoints(IEndpointRouteBuilder app) =>
        app.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    /// <summary>As rows name them.</summary>
    public static HashSet<string> RoutesOf(IEnumerable<RouteEndpoint> endpoints) =>
        (from endpoint in endpoints
         from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
         select $"{method} {PathOf(endpoint)}").ToHashSet(StringComparer.Ordinal);

    public static bool IsOf(this RouteEndpoint endpoint, string group) =>
        endpoint.Metadata.GetMetadata<IEndpointGroupNameMetadata>()?.EndpointGroupName == group;

    /// <summary>As a reader writes it: without constraints, and without the slash that groups leave at the end.</summary>
    public static string PathOf(RouteEndpoint endpoint) =>
        Parameter().Replace($"/{endpoint.RoutePattern.RawText!.Trim('/')}", "{${name}}");

    [GeneratedRegex(@"^\| `(?<route>[A-Z]+ /[^`]*)` \| (?<state>[a-z ]+) \|",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Row();

    [GeneratedRegex(@"\{\**(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Parameter();
}
