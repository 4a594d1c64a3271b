using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Accounts;

/// <summary>The identity service that GTWY's front end asks, answered by our own people, organizations and keys.</summary>
internal static class CompaniesApi
{
    private const int MaxPage = 100_000;
    private const int MaxUsers = 100;
    private const int MaxKeys = 200;

    public static void MapCompanies(this IEndpointRouteBuilder routes)
    {
        var companies = GtwySession.MapGroup(routes, "/api/c");
        companies.MapGet("/getDetails", DetailsAsync).WithSummary("Read who is signed in and for which organization he acts");
        companies.MapGet("/getCompanies", Companies).WithSummary("List the organizations of whoever is signed in");
        companies.MapPost("/createCompany", CreateAsync).WithSummary("Make an organization");
        companies.MapPost("/switchCompany", SwitchAsync).WithSummary("Act for another organization");
        companies.MapGet("/getUsers", UsersAsync).WithSummary("List the members of the organization");
        GtwySession.ForAdmins(companies.MapPost("/addUser", InviteAsync)).WithSummary("Ask somebody into the organization");
        GtwySession.ForAdmins(companies.MapGet("/authkey", KeysAsync)).WithSummary("List the organization's keys");
        GtwySession.ForAdmins(companies.MapPost("/authkey", CreateKeyAsync)).WithSummary("Make a key; it is shown once");
        GtwySession.ForAdmins(companies.MapDelete("/authkey/{id:guid}", RevokeKeyAsync)).WithSummary("Revoke a key");
        companies.MapDelete("/logout", LogoutAsync).WithSummary("Sign out");
    }

    internal static async Task<Ok<Answer<IReadOnlyList<JsonObject>>>> DetailsAsync(
        GtwySession caller, AccountSettings settings, CancellationToken ct)
    {
        var current = caller.Session.Organization is { } own ? await settings.OfOrganizationAsync(own.Id, ct) : null;
        var person = new JsonObject
        {
            ["id"] = $"{caller.Person.Id}",
            ["name"] = caller.Person.Name,
            ["email"] = caller.Person.Email,
            ["meta"] = (await settings.OfPersonAsync(caller.Person.Id, ct)).DeepClone(),
            ["created_at"] = caller.Session.CreatedAt,
            ["c_companies"] =
                new JsonArray([.. caller.Session.Organizations.Select(organization => Company(organization, settings: null))]),
            ["currentCompany"] = caller.Session.Organization is { } organization ? Company(organization, current) : null,
        };
        return TypedResults.Ok(Answer.Of<IReadOnlyList<JsonObject>>([person]));
    }

    internal static Ok<Answer<IReadOnlyList<JsonObject>>> Companies(GtwySession caller) =>
        TypedResults.Ok(
            Answer.Of<IReadOnlyList<JsonObject>>([.. caller.Session.Organizations.Select(own => Company(own, settings: null))]));

    internal static async Task<Ok<Answer<JsonObject>>> CreateAsync(
        NewCompany body, GtwySession caller, OrganizationStore organizations,
        AccountSettings settings, TimeProvider time, CancellationToken ct)
    {
        var name = body.Company?["name"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        var made = await organizations.CreateAsync(new($"gtwy-{HexId.Create(time)}", name), caller.Person.Id, ct);
        await settings.SetOrganizationAsync(made.Id, body.Company!, ct);
        return TypedResults.Ok(Answer.Of(new JsonObject { ["id"] = $"{made.Id}", ["name"] = made.Name }));
    }

    internal static async Task<Ok<Answer<JsonObject>>> SwitchAsync(
        CompanyChoice choice, GtwySession caller, WireIdentity identity, CancellationToken ct)
    {
        await identity.ChooseAsync(caller.Session, UsersApi.OrganizationId(choice.CompanyRefId, "company_ref_id"), ct);
        return TypedResults.Ok(Answer.Of(new JsonObject { ["company_ref_id"] = choice.CompanyRefId }));
    }

    internal static async Task<Ok<Answer<UserPage>>> UsersAsync(
        GtwySession caller, WireIdentity identity, CancellationToken ct, string? search = null,
        [FromQuery(Name = "pageNo")] int page = 1, [FromQuery(Name = "itemsPerPage")] int limit = 50)
    {
        if (page is < 1 or > MaxPage || limit is < 1 or > MaxUsers)
        {
            throw Failure.Invalid($"pageNo must be 1 or more, itemsPerPage between 1 and {MaxUsers}", "itemsPerPage");
        }
        var (members, total) = await identity.SearchAsync(
            caller.Organization.Id, QueryValues.Text(search, "search"), (page - 1) * limit, limit, ct);
        return TypedResults.Ok(Answer.Of(new UserPage(
            members.ConvertAll(member => new User($"{member.PersonId}", member.Name, member.Email, $"{member.Role}".ToLowerInvariant())),
            total)));
    }

    internal static async Task<Ok<Answer<JsonObject>>> InviteAsync(
        NewUser body, GtwySession caller, WireIdentity identity, CancellationToken ct)
    {
        var email = body.User?["email"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        var (invitation, link) = await identity.InviteAsync(caller.Session, email, MemberRole.Member, ct);
        return TypedResults.Ok(
            Answer.Of(new JsonObject { ["id"] = $"{invitation.Id}", ["email"] = invitation.Email, ["invitation"] = link }));
    }

    internal static async Task<Ok<Answer<KeyPage>>> KeysAsync(GtwySession caller, KeyStore keys, CancellationToken ct, string? name = null)
    {
        var rows = await keys.ListAsync(caller.Organization.Id, after: null, MaxKeys, ct);
        return TypedResults.Ok(Answer.Of(new KeyPage(
            [.. rows.Where(row => string.IsNullOrEmpty(name) || row.Name == name).Select(row => Key.Of(row, token: null))])));
    }

    internal static async Task<Ok<Answer<Key>>> CreateKeyAsync(
        NewKeyTerms body, GtwySession caller, KeyStore keys, TimeProvider time, CancellationToken ct)
    {
        var limit = string.IsNullOrEmpty(body.ThrottleLimit) ? null : Throttle(body.ThrottleLimit);
        var terms = new KeyTerms(body.Name ?? "", RequestsPerMinute: limit);
        Failure.ThrowIfAny(terms.Check(time.GetUtcNow()));
        var made = await keys.CreateAsync(caller.Organization.Id, terms, Caller.Of(caller.Session).Actor, ct);
        return TypedResults.Ok(Answer.Of(Key.Of(made.Row, made.Token)));
    }

    internal static async Task<Ok<Answer<JsonObject>>> RevokeKeyAsync(Guid id, GtwySession caller, KeyStore keys, CancellationToken ct)
    {
        return await keys.RevokeAsync(caller.Organization.Id, id, Caller.Of(caller.Session).Actor, ct)
            ? TypedResults.Ok(Answer.Of(new JsonObject { ["id"] = $"{id}" }))
            : throw Failure.NotFound("Key");
    }

    internal static async Task<Ok<Answer<JsonObject>>> LogoutAsync(GtwySession caller, WireIdentity identity, CancellationToken ct)
    {
        await identity.EndAsync(caller.Session, ct);
        return TypedResults.Ok(Answer.Of(new JsonObject()));
    }

    // "60:1" on the wire is calls and minutes; a number alone is calls in a minute.
    private static int? Throttle(string text)
    {
        var parts = text.Split(':');
        return parts.Length <= 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var calls)
            && (parts.Length == 1
                || (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) && minutes == 1))
            ? calls
            : throw Failure.Invalid("throttle_limit must be a number of calls in a minute", "throttle_limit");
    }

    private static JsonObject Company(OwnOrganization organization, JsonObject? settings)
    {
        var company = settings?.DeepClone().AsObject() ?? [];
        company["id"] = $"{organization.Id}";
        company["name"] = organization.Name;
        company["role_name"] = $"{organization.Role}".ToLowerInvariant();
        return company;
    }

    internal sealed record NewCompany(JsonObject? Company);

    internal sealed record CompanyChoice(string? CompanyRefId);

    internal sealed record NewUser(JsonObject? User);

    internal sealed record User(string Id, string Name, string? Email, string Role);

    internal sealed record UserPage(IReadOnlyList<User> Data, [property: JsonPropertyName("totalEntityCount")] int TotalEntityCount);

    internal sealed record NewKeyTerms(string? Name, string? ThrottleLimit);

    internal sealed record KeyPage(IReadOnlyList<Key> Data);

    /// <param name="Authkey">The key itself where it was just made, else how it begins.</param>
    internal sealed record Key(string Id, string Name, string Authkey, string? ThrottleLimit, int Status, DateTimeOffset CreatedAt)
    {
        public static Key Of(KeyRow row, string? token) => new(
            $"{row.Id}", row.Name, token ?? $"{row.Prefix}…", row.RequestsPerMinute?.ToString(CultureInfo.InvariantCulture),
            row.RevokedAt is null ? 1 : 0, row.CreatedAt);
    }
}

/// <summary>The envelope of the identity service.</summary>
internal sealed record Answer<T>(T Data, string Status, [property: JsonPropertyName("hasError")] bool HasError);

internal static class Answer
{
    public static Answer<T> Of<T>(T data) => new(data, "success", HasError: false);
}
