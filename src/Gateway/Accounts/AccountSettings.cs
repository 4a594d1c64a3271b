using System.Text.Json.Nodes;
using Npgsql;

namespace Stoa.Gateway.Accounts;

/// <summary>What GTWY's front end keeps of its own about organizations and people: a time zone and <c>meta</c>.</summary>
internal sealed class AccountSettings(NpgsqlDataSource source)
{
    private static readonly string[] Kept = ["timezone", "meta"];

    public Task<JsonObject> OfOrganizationAsync(Guid id, CancellationToken ct) =>
        ReadAsync("select document::text from gateway.organization_settings where organization_id = $1", id, ct);

    public Task<JsonObject> OfPersonAsync(Guid id, CancellationToken ct) =>
        ReadAsync("select document::text from gateway.person_settings where person_id = $1", id, ct);

    public Task SetOrganizationAsync(Guid id, JsonObject given, CancellationToken ct)
    {
        var kept = new JsonObject(Kept.Where(given.ContainsKey).Select(name => KeyValuePair.Create(name, given[name]?.DeepClone())));
        return WriteAsync("""
            insert into gateway.organization_settings (organization_id, document) values ($1, $2)
            on conflict (organization_id) do update set document = organization_settings.document || excluded.document
            """, id, kept, ct);
    }

    public Task SetPersonAsync(Guid id, JsonObject meta, CancellationToken ct) => WriteAsync("""
        insert into gateway.person_settings (person_id, document) values ($1, $2)
        on conflict (person_id) do update set document = person_settings.document || excluded.document
        """, id, meta, ct);

    private async Task<JsonObject> ReadAsync(string sql, Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteScalarAsync(ct) is string text ? JsonNode.Parse(text)!.AsObject() : [];
    }

    private async Task WriteAsync(string sql, Guid id, JsonObject document, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = document.ToJsonString(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb });
        await command.ExecuteNonQueryAsync(ct);
    }
}
