using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Tests.Authorization;

/// <summary>Who may do what: the API documents say it, <see cref="MatrixRows"/> confirms it, the running host must keep it.</summary>
public sealed class AuthorizationMatrixTests(AuthorizationMatrix matrix, ITestOutputHelper output) : IClassFixture<AuthorizationMatrix>
{
    [Fact]
    public void Every_operation_states_its_rule_and_how_a_caller_proves_himself() => Nothing(
        from operation in matrix.Operations
        where operation.Rule is null || (operation.Schemes.Count == 0) != (operation.Rule == Stoa.Platform.Http.AccessRule.Anyone)
        select $"{operation.Name}: rule {operation.Rule ?? "none"}, schemes [{string.Join(", ", operation.Schemes)}]");

    [Fact]
    public void Every_operation_has_a_row_that_confirms_its_rule_and_every_row_an_operation()
    {
        var stated = matrix.Operations.ToDictionary(operation => operation.Name, operation => operation.Rule, StringComparer.Ordinal);
        Nothing(
            from name in stated.Keys.Union(MatrixRows.All.Keys, StringComparer.Ordinal)
            let inDocument = stated.TryGetValue(name, out var rule) ? rule ?? "no rule" : "no operation"
            let inRow = MatrixRows.All.TryGetValue(name, out var row) ? row.Rule : "no row"
            where inDocument != inRow
            select $"{name}: {inDocument} in the document, {inRow} in the matrix");
    }

    [Fact]
    public void Every_caller_gets_what_the_rule_gives_him_and_nothing_of_anybody_else()
    {
        output.WriteLine($"{matrix.Operations.Count} operations, {matrix.Calls} calls");
        Assert.NotEqual(0, matrix.Calls);
        Nothing(matrix.Findings);
    }

    [Fact]
    public void Every_route_below_a_surface_is_in_its_document()
    {
        string[] surfaces = ["/api/", "/v1/", "/learning/", "/assistants/", "/background/"];
        // Says of everything else there that it does not exist, and keeps the secret in its path out of the log.
        const string nowhere = "ANY /learning/_svc/{service_token}/{nothing}";
        var documented = matrix.Operations.Select(operation => operation.Name).ToHashSet(StringComparer.Ordinal);
        Nothing(
            from endpoint in matrix.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            let path = PathOf(endpoint.RoutePattern)
            where surfaces.Any(surface => path.StartsWith(surface, StringComparison.Ordinal))
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["ANY"]
            where method != "OPTIONS" && !documented.Contains($"{method} {path}") && $"{method} {path}" != nowhere
            select $"{method} {path}");
    }

    private static string PathOf(Microsoft.AspNetCore.Routing.Patterns.RoutePattern pattern) =>
        $"/{string.Join('/', pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
            _ => "",
        }))))}";

    private static void Nothing(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        Assert.True(all.Count == 0, $"{all.Count} findings\n{string.Join('\n', all)}");
    }
}
