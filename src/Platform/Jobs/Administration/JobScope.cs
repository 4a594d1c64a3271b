using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Which jobs somebody may see and act on: those of his key or his own; all of his organization, if he is its admin; and the system's too,
/// if he is an admin of the organization <c>default</c>. It is part of each query, so what lies outside is simply not found.
/// </summary>
/// <param name="KeyId">Only jobs of this key; null for people and admins.</param>
/// <param name="PersonId">Only jobs of this person; null for keys and admins.</param>
/// <param name="IsHost">Also the jobs of no organization, and what concerns all: kinds and schedules.</param>
/// <param name="Tenant">Only jobs of this tenant: whoever a module works for, where that is no person of the platform.</param>
public sealed record JobScope(Guid OrganizationId, Guid? KeyId, bool IsHost, Guid? PersonId = null, string? Tenant = null)
{
    internal const string Condition = """
        ((organization_id = @scope_organization and (@scope_key is null or key_id = @scope_key)
          and (@scope_person is null or person_id = @scope_person)
          and (@scope_tenant is null or tenant = @scope_tenant)) or (@scope_host and organization_id is null))
        """;

    public bool IsAdmin => KeyId is null && PersonId is null && Tenant is null;

    public static JobScope Of(Caller caller) => new(
        caller.OrganizationId, caller.IsAdmin ? null : caller.Key?.Id, caller.IsOperator, caller.IsAdmin ? null : caller.PersonId);

    public static JobScope Of(ApiKey key) => Of(Caller.Of(key));

    internal void AddTo(NpgsqlParameterCollection parameters)
    {
        parameters.AddWithValue("scope_organization", OrganizationId);
        parameters.Add(new("scope_key", NpgsqlDbType.Uuid) { Value = (object?)KeyId ?? DBNull.Value });
        parameters.Add(new("scope_person", NpgsqlDbType.Uuid) { Value = (object?)PersonId ?? DBNull.Value });
        parameters.Add(new("scope_tenant", NpgsqlDbType.Text) { Value = (object?)Tenant ?? DBNull.Value });
        parameters.AddWithValue("scope_host", IsHost);
    }
}
