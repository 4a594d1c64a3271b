using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Auth;

/// <summary>New API clients, for those who hold a root token.</summary>
internal static class ApiClientsApi
{
    private const int LongestText = 256;

    public static void MapApiClients(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/admin/api_client", CreateAsync).WithTags("admin").WithSummary("Make an API client; its key is told this once")
            .RequireRootToken();

    internal static async Task<Ok<string>> CreateAsync(CreateApiClientRequest request, ApiClients clients, CancellationToken ct)
    {
        (string Name, string? Value, bool IsNeeded)[] texts =
        [
            ("description", request.Description, true), ("frontend_type", request.FrontendType, true), ("admin_email", request.AdminEmail, false),
        ];
        var wrong = texts.Where(text => text.Value is null ? text.IsNeeded : text.Value.Length > LongestText || text.Value.Contains('\0', StringComparison.Ordinal))
            .Select(text => new FieldError(text.Name, text.Value is null ? "field required" : $"must be a text of at most {LongestText} characters"))
            .ToList();
        return wrong.Count > 0
            ? throw new Failure(FailureKind.Invalid, "invalid_request", wrong[0].Message, wrong)
            : TypedResults.Ok(await clients.CreateAsync(
                new(request.Description!, request.FrontendType!, request.Trusted, request.AdminEmail), ct));
    }

    /// <summary>Nothing else of a client can be set by this: whatever else a body says is not read.</summary>
    internal sealed record CreateApiClientRequest(
        string? Description, string? FrontendType, bool Trusted = false, string? AdminEmail = null);
}
