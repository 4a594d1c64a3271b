using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Auth;

/// <summary>New API clients, for those who hold a root token.</summary>
internal static class ApiClientsApi
{
    private const int LongestText = 256;

    public static void MapApiClients(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/admin/api_client", CreateAsync).WithTags("admin").WithSummary("Make an API client; its key is told this once")
            .TakesBody(Read).RequireRootToken();

    internal static async Task<Ok<string>> CreateAsync(HttpContext context, ApiClients clients, CancellationToken ct) =>
        TypedResults.Ok(await clients.CreateAsync(await WireBody.ReadAsync(context, Read), ct));

    /// <summary>Nothing else of a client can be set by this: whatever else a body says is not read.</summary>
    private static NewApiClient Read(WireBody body) => new(
        body.Text("description", LongestText), body.Text("frontend_type", LongestText), body.OptionalFlag("trusted") == true,
        body.OptionalText("admin_email", LongestText));
}
