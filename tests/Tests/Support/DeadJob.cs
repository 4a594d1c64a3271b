using Npgsql;
using Stoa.Platform.Jobs;
using Stoa.Platform.Privacy;

namespace Stoa.Tests.Support;

/// <summary>A job that has failed for good, as the engine leaves it.</summary>
internal static class DeadJob
{
    public static async Task<Guid> AddAsync(NpgsqlDataSource source, JobOwner owner, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        await using var command = source.CreateCommand(
            """
            insert into platform.finished_jobs (id, kind, state, priority, run_at, args, organization_id, person_id, key_id,
              tenant, created_by,
              created_at, max_attempts, attempt, snoozed, finished_at, error, history)
            values ($1, $2, 'dead', 1, now(), '{"person_id": "00000000-0000-0000-0000-000000000000"}', $3, $4, $5, '', 'test',
              now(), 1, 1, 0, now(), 'It did not work', '[]')
            """);
        object?[] values = [id, ErasePerson.Kind, owner.OrganizationId, owner.PersonId, owner.KeyId];
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        await command.ExecuteNonQueryAsync(ct);
        return id;
    }
}
