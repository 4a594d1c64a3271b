using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Accounts;

/// <summary>Tokens for others: applications that people sign in to, and embedded pages.</summary>
internal static class ClientsApi
{
    private const int MaxName = 200;
    private const int MaxUrl = 2_048;

    /// <summary>GTWY's front end knows the same routes by two names.</summary>
    private static readonly string[] Prefixes = ["/api/auth", "/api/org"];

    public static void MapClients(this IEndpointRouteBuilder routes)
    {
        foreach (var prefix in Prefixes)
        {
            var clients = routes.MapGroup(prefix).WithTags("Accounts");
            clients.MapGet("/auth_token", TokenAsync).RequireGtwyAdmin()
                .WithSummary("Read what the organization signs the tokens of embedded users with");
            clients.MapPost("", CreateAsync).RequireGtwyAdmin().TakesObject()
                .WithSummary("Register an application that people may sign in to");
            clients.MapGet("", ListAsync).WithSummary("List the organization's applications");
            clients.MapGet("/client_info", InfoAsync).WithSummary("Read to which application one would sign in");
            clients.MapPost("/verify", VerifyAsync).TakesObject().WithSummary("Sign in to an application: a redirect to it, with a token");
        }
        routes.MapPost("/api/utils/token", IssueAsync).RequireGtwyEditor().TakesObject()
            .WithTags("Accounts").WithSummary("Get a token for an embedded page");
    }

    internal static async Task<Ok<JsonObject>> TokenAsync(
        GtwyCaller caller, SignInClients clients, HttpResponse response, CancellationToken ct)
    {
        caller.RequireAdmin();
        response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new JsonObject { ["auth_token"] = await clients.TokenAsync(caller.OrganizationId, ct) });
    }

    internal static async Task<Created<JsonObject>> CreateAsync(
        GtwyCaller caller, GtwyBody body, SignInClients clients, CancellationToken ct)
    {
        caller.RequireAdmin();
        var name = body.Members.NeedText("name", MaxName).Trim();
        var url = body.Members.NeedText("redirection_url", MaxUrl);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address.UserInfo.Length + address.Fragment.Length > 0 || url.Any(char.IsControl))
        {
            throw GtwyFields.Wrong("redirection_url", "must be an address with http or https, without user and fragment");
        }
        var answer = AgentsApi.Success("Client registered successfully");
        answer["result"] = Show(await clients.AddAsync(caller.OrganizationId, name, url, ct), caller);
        return TypedResults.Created((string?)null, answer);
    }

    internal static async Task<Ok<JsonObject>> ListAsync(GtwyCaller caller, SignInClients clients, CancellationToken ct)
    {
        var answer = AgentsApi.Success("Get all clients successfully");
        answer["result"] =
            new JsonArray([.. (await clients.ListAsync(caller.OrganizationId, ct)).Select(client => (JsonNode)Show(client, caller))]);
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> InfoAsync(
        GtwyCaller caller, SignInClients clients, CancellationToken ct, [FromQuery(Name = "client_id")] string? clientId = null)
    {
        var client = await FindAsync(clients, clientId, ct);
        var answer = AgentsApi.Success("Get client successfully");
        answer["result"] =
            new JsonObject { ["client_id"] = client.Id, ["name"] = client.Name, ["redirection_url"] = client.RedirectionUrl };
        return TypedResults.Ok(answer);
    }

    /// <summary>Only to the address that was registered; by a person, whose token the application gets.</summary>
    internal static async Task<RedirectHttpResult> VerifyAsync(
        GtwyCaller caller, GtwyBody body, SignInClients clients, GtwyTokens tokens, HttpResponse response, CancellationToken ct)
    {
        var client = await FindAsync(clients, body.Members.NeedText("client_id", 64), ct);
        var state = body.Members.NeedText("state", MaxUrl);
        if (body.Members.NeedText("redirection_url", MaxUrl) != client.RedirectionUrl)
        {
            throw GtwyFields.Wrong("redirection_url", "is not the one that was registered");
        }
        var address = QueryHelpers.AddQueryString(
            client.RedirectionUrl,
            new Dictionary<string, string?> { ["access_token"] = tokens.IssueUser(ClaimsOf(caller)), ["state"] = state });
        response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(address, permanent: true);
    }

    /// <summary><c>org</c>: the caller's own. Others are signed with what the organization signs for embedded users with.</summary>
    internal static async Task<Ok<JsonObject>> IssueAsync(
        GtwyCaller caller, GtwyBody body, SignInClients clients, GtwyTokens tokens,
        HttpResponse response, TimeProvider time, CancellationToken ct)
    {
        caller.RequireEditor();
        var type = body.Members.Word(
            "type", "org", "rag", "knowledge_base", "embed", "embed_preview", "rag_embed_preview", "chatbot_embed_preview")
            ?? throw GtwyFields.Wrong("type", "is required");
        var claims = ClaimsOf(caller);
        var token = type == "org" ? tokens.IssueUser(claims)
            : EmbedToken(caller, type, await clients.TokenAsync(caller.OrganizationId, ct), time.GetUtcNow());
        response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new JsonObject { ["success"] = true, ["result"] = token });
    }

    private static string EmbedToken(GtwyCaller caller, string type, string secret, DateTimeOffset now) => Jwt.Create(
        new()
        {
            ["org_id"] = caller.OrgId,
            ["user_id"] = caller.UserId,
            ["folder_id"] = caller.FolderId,
            ["type"] = type,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + GtwyTokens.Lifetime).ToUnixTimeSeconds(),
        },
        SigningKey.Hmac(SigningAlgorithm.HS256, secret));

    /// <summary>A token that can do what the caller can, and no more.</summary>
    /// <exception cref="Failure">Forbidden: a key is no person, and would not end with its token.</exception>
    private static JsonObject ClaimsOf(GtwyCaller caller)
    {
        if (caller.Key is not null || caller.UserId is null)
        {
            throw Failure.Forbidden("You don't have access");
        }
        var claims = new JsonObject
        {
            ["jti"] = $"{Guid.CreateVersion7()}",
            ["user"] = new JsonObject
            {
                ["id"] = caller.UserId,
                ["name"] = caller.UserName,
                ["email"] = caller.Email,
                ["permissions"] =
                    new JsonArray([.. UsersApi.PermissionsOf(caller.Role).Select(permission => JsonValue.Create(permission))]),
            },
            ["org"] = new JsonObject { ["id"] = caller.OrgId, ["name"] = caller.OrgName },
        };
        if (caller.IsEmbed)
        {
            claims["extraDetails"] = new JsonObject { ["type"] = "embed", ["tokenType"] = "embed", ["folder_id"] = caller.FolderId };
        }
        return claims;
    }

    private static async Task<SignInClient> FindAsync(SignInClients clients, string? id, CancellationToken ct) =>
        HexId.IsOne(id) && await clients.FindAsync(id!, ct) is { } client ? client : throw GtwyFields.Wrong("client_id", "names no client");

    private static JsonObject Show(SignInClient client, GtwyCaller caller) => new()
    {
        ["_id"] = client.Id,
        ["client_id"] = client.Id,
        ["org_id"] = caller.OrgId,
        ["name"] = client.Name,
        ["redirection_url"] = client.RedirectionUrl,
        ["created_at"] = GtwyFields.InstantText(client.CreatedAt),
    };
}
