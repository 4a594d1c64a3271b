using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Auth;

/// <summary>What a caller may do with agents; each includes the ones before it.</summary>
internal enum GtwyRole
{
    Viewer,
    Editor,
    Admin,
}

/// <summary>Who calls a route of GTWY's surface: a user by his token or session, or an organization by its key.</summary>
/// <param name="OrganizationId">Ours.</param>
/// <param name="OrgId">As the surface shows it; ids are compared as texts.</param>
/// <param name="UserId">Null for a key.</param>
/// <param name="FolderId">The folder to which an embedded user is confined.</param>
/// <param name="Key">Null for a user.</param>
internal sealed record GtwyCaller(
    Guid OrganizationId, string OrgId, string? OrgName, string? UserId, string? UserName,
    string? Email, GtwyRole Role, bool IsEmbed, string? FolderId, ApiKey? Key)
{
    private const string Embed = "embed";

    public static ValueTask<GtwyCaller?> BindAsync(HttpContext context) => context.SurfaceCaller<GtwyCaller>();

    /// <summary>Null when the claims name no organization or no user.</summary>
    public static async ValueTask<GtwyCaller?> OfAsync(TokenClaims claims, OrganizationNames organizations, CancellationToken ct)
    {
        if (Member(claims.All, "org") is not { } org || IdOf(org) is not { } orgId
            || Member(claims.All, "user") is not { } user || IdOf(user) is not { } userId)
        {
            return null;
        }
        var orgName = Text(org, "name");
        if (await organizations.FindAsync(orgId, orgName, ct) is not { } organizationId)
        {
            return null;
        }
        var extra = Member(claims.All, "extraDetails");
        var isEmbed = Text(extra, "type") == Embed || Text(Member(user, "meta"), "type") == Embed;
        return new(
            organizationId, orgId, orgName, userId, Text(user, "name"),
            Text(user, "email"), isEmbed ? GtwyRole.Editor : RoleOf(user), isEmbed,
            Text(extra, "folder_id"), Key: null);
    }

    /// <summary>An admin's key manages agents; any other runs them and sees them.</summary>
    public static GtwyCaller Of(ApiKey key) => new(
        key.OrganizationId, key.OrganizationId.ToString(), OrgName: null, UserId: null, key.Name, Email: null,
        key.IsAdmin ? GtwyRole.Admin : GtwyRole.Viewer, IsEmbed: false, FolderId: null, key);

    /// <summary>Null when the person acts for no organization.</summary>
    public static GtwyCaller? Of(Session session) => session is { Person: { } person, Organization: { } own }
        ? new(
            own.Id, own.Id.ToString(), own.Name, person.Id.ToString(), person.Name, person.Email, RoleOf(own.Role), IsEmbed: false,
            FolderId: null, Key: null)
        : null;

    /// <summary>Whom changes are written down to.</summary>
    public string? Actor => UserId ?? (Key is null ? null : $"key:{Key.Id}");

    /// <summary>For what belongs to no agent: viewers may not.</summary>
    /// <exception cref="Failure">Forbidden.</exception>
    public void RequireEditor()
    {
        if (Role == GtwyRole.Viewer)
        {
            throw NoAccess();
        }
    }

    /// <summary>For what the whole organization uses: an embedded user changes his folder's agents alone.</summary>
    /// <exception cref="Failure">Forbidden.</exception>
    public void RequireOwnEditor()
    {
        RequireEditor();
        if (IsEmbed)
        {
            throw NoAccess();
        }
    }

    /// <summary>For an agent: a viewer must be among its editors, an editor too unless it names none.</summary>
    /// <exception cref="Failure">Forbidden.</exception>
    public void RequireEditor(IReadOnlyCollection<string> editors)
    {
        var isNamed = UserId is { } user && editors.Contains(user);
        if (Role != GtwyRole.Admin && !isNamed && (Role == GtwyRole.Viewer || editors.Count > 0))
        {
            throw Failure.Forbidden("You don't have access to update this agent");
        }
    }

    public void RequireAdmin()
    {
        if (Role != GtwyRole.Admin)
        {
            throw NoAccess();
        }
    }

    public void RequireOperator()
    {
        if (OrganizationId != Organization.DefaultId || Role != GtwyRole.Admin)
        {
            throw Failure.Forbidden("Access denied: you are not authorized for this action");
        }
    }

    /// <summary>For something that is not there: whoever may change nothing learns nothing of it either.</summary>
    public Failure Missing(Failure missing) => Role == GtwyRole.Viewer ? NoAccess() : missing;

    private static Failure NoAccess() => Failure.Forbidden("You don't have access");

    private static GtwyRole RoleOf(MemberRole role) => role switch
    {
        MemberRole.Viewer => GtwyRole.Viewer,
        MemberRole.Member => GtwyRole.Editor,
        MemberRole.Admin or MemberRole.Owner => GtwyRole.Admin,
    };

    private static GtwyRole RoleOf(JsonElement user)
    {
        if (!user.TryGetProperty("permissions", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return GtwyRole.Viewer;
        }
        var permissions = list.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString())
            .ToHashSet(StringComparer.Ordinal);
        return !permissions.Contains("get_agent") || !permissions.Contains("create_agent") ? GtwyRole.Viewer
            : permissions.Contains("clone_agent") ? GtwyRole.Admin
            : GtwyRole.Editor;
    }

    private static string? IdOf(JsonElement from) => from.TryGetProperty("id", out var id) ? id.ValueKind switch
    {
        JsonValueKind.String when id.GetString() is { Length: > 0 } text => text,
        JsonValueKind.Number when id.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    } : null;

    private static JsonElement? Member(JsonElement from, string name) =>
        from.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object ? member : null;

    private static string? Text(JsonElement? from, string name) =>
        from?.TryGetProperty(name, out var member) == true && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
