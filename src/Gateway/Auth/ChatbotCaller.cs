using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Auth;

/// <summary>Who writes to a chatbot or to a public agent.</summary>
/// <param name="OrgId">Null for a public agent.</param>
/// <param name="Variables">The token's own variables for prompt and tools; undefined where it has none.</param>
internal sealed record ChatbotCaller(string? OrgId, string UserId, string? Email, string? ChatbotId, bool IsPublic, JsonElement Variables)
{
    public static ValueTask<ChatbotCaller?> BindAsync(HttpContext context) => context.SurfaceCaller<ChatbotCaller>();

    /// <summary>Null when the claims name no user, or no organization where there must be one.</summary>
    public static ChatbotCaller? Of(TokenClaims claims, bool isPublic)
    {
        var org = Id(claims, "org_id");
        var user = Id(claims, "user_id") ?? Id(claims, "userId");
        return user is null || (org is null && !isPublic)
            ? null
            : new(org, user, claims.Text("userEmail"), Id(claims, "chatbot_id"), isPublic,
                claims.All.TryGetProperty("variables", out var variables) ? variables : default);
    }

    private static string? Id(TokenClaims claims, string name) => claims.All.TryGetProperty(name, out var id) ? id.ValueKind switch
    {
        JsonValueKind.String when id.GetString() is { Length: > 0 } text => text,
        JsonValueKind.Number => id.GetRawText(),
        _ => null,
    } : null;
}
