using System.Text.Json.Serialization;

namespace Stoa.Platform.Identity;

/// <summary>
/// What a member may do in an organization; each role includes those before it. Modules map their own names onto these: a viewer looks,
/// a member (GTWY's editor) works, an admin manages people and keys, an owner manages owners too.
/// </summary>
[JsonConverter(typeof(SnakeCaseEnum<MemberRole>))]
public enum MemberRole
{
    Viewer,
    Member,
    Admin,
    Owner,
}
