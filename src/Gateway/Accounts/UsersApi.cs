using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Accounts;

/// <summary>Tokens of GTWY's front end: got for a session, exchanged for another organization's, given up.</summary>
internal static class UsersApi
{
    private const int MaxUsers = 1_000;

    private static readonly string[] Viewing = ["get_agent"];
    private static readonly string[] Editing = ["get_agent", "create_agent"];
    private static readonly string[] Administering = ["get_agent", "create_agent", "clone_agent"];

    /// <summary>Routes for whoever has no token yet.</summary>
    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        GtwySession.MapGroup(routes, "/api/user").MapPost("/localToken", Exchange).WithSummary("Exchange the session for a token");
        routes.MapGroup("/api/local").WithGroupName("gateway").WithTags("Accounts").WithErrors(ManagementErrors.Instance).AllowAnyOrigin()
            .MapPost("/login", SignInAsync).AllowAnyone().WithSummary("Sign in with e-mail address and password");
    }

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/user").WithTags("Accounts");
        users.MapPost("/switchOrg", SwitchAsync).WithSummary("Get a token for another organization; the one that was sent ends");
        users.MapPost("/logout", LogoutAsync).WithSummary("End the token that was sent");
        users.MapPut("/updateDetails", UpdateAsync).WithSummary("Change what the front end keeps of an organization or of oneself");
        users.MapDelete("/deleteUser", RemoveAsync).RequireGtwyAdmin().WithSummary("Remove a member from the organization");
        routes.MapGet("/api/utils/users-details", UsersAsync).WithTags("Accounts").WithSummary("List the organization's people");
        routes.MapGet("/api/internal/info", Info).WithTags("Accounts").WithSummary("Read for which organization a key or token speaks");
    }

    internal static Ok<TokenAnswer> Exchange(GtwySession caller, GtwyTokens tokens) =>
        TypedResults.Ok(TokenAnswer.Of(Token(tokens, caller.Person, caller.Organization)));

    internal static async Task<Ok<SignedIn>> SignInAsync(
        Credentials body, HttpContext context, WireIdentity identity, SessionCache sessions, GtwyTokens tokens, CancellationToken ct)
    {
        var begun = await identity.SignInAsync(context, body.Email, body.Password, ct);
        var session = await sessions.FindAsync(begun.Token, ct);
        var token = session is { Person: { } person, Organization: { } organization } ? Token(tokens, person, organization) : null;
        return TypedResults.Ok(new SignedIn(new(begun.Token, token, begun.ExpiresAt), Success: true));
    }

    internal static async Task<Ok<TokenAnswer>> SwitchAsync(
        OrgChoice choice, HttpContext context, GtwyCaller caller, GtwyTokens tokens, SpentTokens spent, MemberStore members,
        OrganizationStore organizations, CancellationToken ct)
    {
        var person = PersonOf(caller);
        var wanted = OrganizationId(choice.OrgId, "orgId");
        var member = await members.GetAsync(wanted, person, ct);
        var organization = await organizations.FindAsync(wanted, ct) ?? throw Failure.NotFound("Organization");
        var token = Token(
            tokens, new(person, member.Name, member.Email, Locale: "", TimeZone: ""),
            new(organization.Id, organization.Slug, organization.Name, member.Role));
        await EndAsync(context, spent, ct);
        return TypedResults.Ok(TokenAnswer.Of(token));
    }

    internal static async Task<Ok<Said>> LogoutAsync(HttpContext context, GtwyCaller caller, SpentTokens spent, CancellationToken ct)
    {
        if (caller.Key is not null)
        {
            throw Failure.Invalid("A key does not sign out; revoke it instead");
        }
        await EndAsync(context, spent, ct);
        return TypedResults.Ok(new Said(Success: true, "Logged out successfully"));
    }

    internal static async Task<Ok<Updated>> UpdateAsync(Details body, GtwyCaller caller, AccountSettings settings, CancellationToken ct)
    {
        if (body.Company is not null)
        {
            caller.RequireAdmin();
            if (body.CompanyId is not null && body.CompanyId != caller.OrgId)
            {
                throw Failure.NotFound("Organization");
            }
            await settings.SetOrganizationAsync(caller.OrganizationId, body.Company, ct);
            return TypedResults.Ok(
                new Updated("Details updated successfully", await settings.OfOrganizationAsync(caller.OrganizationId, ct), Success: true));
        }
        var person = PersonOf(caller);
        if (body.User is null || (body.UserId is not null && body.UserId != caller.UserId))
        {
            throw Failure.Invalid("Either company or user, with one's own id, must be given", "user");
        }
        await settings.SetPersonAsync(person, body.User["meta"] as JsonObject ?? [], ct);
        return TypedResults.Ok(new Updated("Details updated successfully", await settings.OfPersonAsync(person, ct), Success: true));
    }

    internal static async Task<Ok<Said>> RemoveAsync(
        [FromBody] UserChoice choice, GtwyCaller caller, MemberStore members, CancellationToken ct)
    {
        caller.RequireAdmin();
        var id = Guid.TryParse(choice.UserId, out var given) ? given : throw Failure.NotFound("Member");
        if ((await members.GetAsync(caller.OrganizationId, id, ct)).Role == MemberRole.Owner)
        {
            throw Failure.Invalid("The owner cannot be removed", "user_id");
        }
        await members.LeaveAsync(caller.OrganizationId, id, ct);
        return TypedResults.Ok(new Said(Success: true, "User deleted successfully"));
    }

    internal static async Task<Ok<People>> UsersAsync(GtwyCaller caller, WireIdentity identity, CancellationToken ct)
    {
        var (members, _) = await identity.SearchAsync(caller.OrganizationId, text: null, 0, MaxUsers, ct);
        return TypedResults.Ok(
            new People(members.ConvertAll(member => new PersonRow($"{member.PersonId}", member.Name, member.Email)), Success: true));
    }

    internal static Ok<KeyInfo> Info(GtwyCaller caller) => TypedResults.Ok(new KeyInfo(
        Success: true, "Sucessfully authenticated", caller.OrgId, caller.OrgName, caller.UserId, caller.Key?.Name));

    /// <exception cref="Failure">Not found: no organization of ours has such an id.</exception>
    internal static Guid OrganizationId(string? text, string field) => string.IsNullOrEmpty(text)
        ? throw Failure.Invalid($"{field} must be given", field)
        : Guid.TryParse(text, out var id) ? id : throw Failure.NotFound("Organization");

    // People of another system are no people here.
    private static Guid PersonOf(GtwyCaller caller) =>
        caller.Key is null && Guid.TryParse(caller.UserId, out var id) ? id : throw Failure.Forbidden("You don't have access");

    public static IReadOnlyList<string> PermissionsOf(GtwyRole role) => role switch
    {
        GtwyRole.Viewer => Viewing,
        GtwyRole.Editor => Editing,
        GtwyRole.Admin => Administering,
    };

    private static string Token(GtwyTokens tokens, SignedInPerson person, OwnOrganization organization)
    {
        var permissions = organization.Role switch
        {
            MemberRole.Viewer => Viewing,
            MemberRole.Member => Editing,
            MemberRole.Admin or MemberRole.Owner => Administering,
        };
        return tokens.IssueUser(new()
        {
            ["jti"] = $"{Guid.CreateVersion7()}",
            ["user"] = new JsonObject
            {
                ["id"] = $"{person.Id}",
                ["name"] = person.Name,
                ["email"] = person.Email,
                ["permissions"] = new JsonArray([.. permissions.Select(permission => JsonValue.Create(permission))]),
            },
            ["org"] = new JsonObject { ["id"] = $"{organization.Id}", ["name"] = organization.Name },
        });
    }

    private static async Task EndAsync(HttpContext context, SpentTokens spent, CancellationToken ct)
    {
        var token = context.Request.BearerToken() ?? context.Request.SingleHeader("Authorization");
        if (token?.Contains('.', StringComparison.Ordinal) == true)
        {
            await spent.SpendAsync(token, end: null, ct);
        }
    }

    internal sealed record Credentials(string? Email, string? Password);

    internal sealed record SignedIn(SignedInTokens Data, bool Success);

    /// <param name="ProxyToken">The session, for <c>proxy_auth_token</c>.</param>
    /// <param name="LocalToken">The token, for <c>Authorization</c>; null for whoever is in no organization.</param>
    internal sealed record SignedInTokens(string ProxyToken, string? LocalToken, DateTimeOffset ExpiresAt);

    internal sealed record TokenAnswer(TokenData Data, bool Success)
    {
        public static TokenAnswer Of(string token) => new(new(token), Success: true);
    }

    internal sealed record TokenData(string Token);

    internal sealed record OrgChoice([property: JsonPropertyName("orgId")] string? OrgId);

    internal sealed record UserChoice(string? UserId);

    internal sealed record Details(string? CompanyId, JsonObject? Company, string? UserId, JsonObject? User);

    internal sealed record Updated(string Message, JsonObject Data, bool Success);

    internal sealed record Said(bool Success, string Message);

    internal sealed record People(IReadOnlyList<PersonRow> Data, bool Success);

    internal sealed record PersonRow(string UserId, string Name, string? Email);

    internal sealed record KeyInfo(bool Success, string Message, string OrgId, string? OrganizationName, string? UserId, string? KeyName);
}
