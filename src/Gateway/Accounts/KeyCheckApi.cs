using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Accounts;

/// <summary>
/// Tells another service of the installation whether a key is good. It proves itself by an admin's key of the installation.
/// </summary>
internal static class KeyCheckApi
{
    private static readonly AccessRule Rule = new("gtwy_service", new AccessScheme("authkey", AccessPlace.Header, "authkey"));

    public static void MapKeyCheck(this IEndpointRouteBuilder routes) => routes.MapGroup("/api/validateCauthKey")
        .WithGroupName("gateway").WithTags("Accounts").WithErrors(ManagementErrors.Instance)
        .AllowAnyOrigin().RequireSurfaceCaller(Rule, Service)
        .MapPost("", Check).WithSummary("Tell whose key this is");

    internal static async Task<Results<Ok<CheckedKey>, JsonHttpResult<CheckedKey>>> Check(
        KeyToCheck body, KeyRing ring, OrganizationStore organizations, CancellationToken ct)
    {
        if (body.CAuthKey is null || ring.Find(body.CAuthKey) is not { } key)
        {
            return TypedResults.Json(new CheckedKey("fail", HasError: true, Data: null), GatewayJson.Default.CheckedKey, statusCode: 401);
        }
        var organization = await organizations.FindAsync(key.OrganizationId, ct);
        return TypedResults.Ok(new CheckedKey("success", HasError: false, new(
            new($"{key.OrganizationId}", organization?.Name ?? ""),
            new($"{key.Id}", key.Name, key.RequestsPerMinute?.ToString(CultureInfo.InvariantCulture)))));
    }

    private static ValueTask<ApiKey> Service(HttpContext context)
    {
        var token = context.Request.SingleHeader("authkey");
        var key = token is null ? null : context.RequestServices.GetRequiredService<KeyRing>().Find(token);
        return key is { IsAdmin: true } && key.OrganizationId == Organization.DefaultId
            ? ValueTask.FromResult(key)
            : throw Failure.Unauthenticated("unauthorized user");
    }

    internal sealed record KeyToCheck([property: JsonPropertyName("cAuthKey")] string? CAuthKey);

    internal sealed record CheckedKey(string Status, [property: JsonPropertyName("hasError")] bool HasError, KeyData? Data);

    internal sealed record KeyData(Named Company, AuthKey Authkey);

    internal sealed record Named(string Id, string Name);

    internal sealed record AuthKey(string Id, string Name, string? ThrottleLimit);
}
