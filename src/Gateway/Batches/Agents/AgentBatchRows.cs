using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>
/// The lines of agents' batches in the history while they wait: <c>batch_data.status</c> is <c>queued</c>, then <c>processing</c>. The run
/// of a line puts its own row in the place of the waiting one.
/// </summary>
internal sealed class AgentBatchRows(NpgsqlDataSource source, TimeProvider time)
{
    /// <summary>In the transaction of the connection.</summary>
    public static async Task AddAsync(
        NpgsqlConnection connection, Batch batch, RunPlan plan, RunInput input, IReadOnlyList<AgentLine> lines, CancellationToken ct)
    {
        await using var insert = new NpgsqlCommand("""
            insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id,
              sub_thread_id, message_id,
              service, model, is_success, user_message, batch_id, document)
            select line.id, $1, $1, $2, $3, $4, coalesce($12, line.custom_id), coalesce($13, $12, line.custom_id), line.custom_id,
              $5, $6, false, line.message, $7,
              jsonb_build_object('variables', line.variables::jsonb,
                'batch_data', jsonb_build_object('batch_id', $7::text, 'custom_id', line.custom_id, 'status', 'queued'))
            from unnest($8, $9, $10, $11) as line (id, custom_id, message, variables)
            """, connection);
        insert.Parameters.Add(new() { Value = batch.CreatedAt });
        insert.Parameters.Add(new() { Value = batch.OrganizationId });
        insert.Parameters.Add(new() { Value = plan.AgentId ?? "" });
        insert.Parameters.Add(new() { Value = (object?)plan.VersionId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        insert.Parameters.Add(new() { Value = plan.Choice.Service.Name });
        insert.Parameters.Add(new() { Value = plan.Choice.Model });
        insert.Parameters.Add(new() { Value = batch.Id });
        insert.Parameters.Add(new() { Value = lines.Select(_ => Guid.CreateVersion7(batch.CreatedAt)).ToArray() });
        insert.Parameters.Add(new() { Value = lines.Select(line => line.CustomId).ToArray() });
        insert.Parameters.Add(new() { Value = lines.Select(line => StoredText.Clean(line.Text)).ToArray() });
        insert.Parameters.Add(new() { Value = lines.Select(line => StoredText.Json(line.Variables ?? [])).ToArray() });
        insert.Parameters.Add(new() { Value = (object?)input.ThreadId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        insert.Parameters.Add(new() { Value = (object?)input.SubThreadId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await insert.ExecuteNonQueryAsync(ct);
    }

    public Task BeginAsync(Batch batch, CancellationToken ct) => ChangeAsync(batch, "processing", error: null, ct);

    /// <summary>Those that have not been run when the batch ends: it was cancelled or expired, or they could not begin.</summary>
    public Task GiveUpAsync(Batch batch, BatchStatus end, CancellationToken ct) => ChangeAsync(
        batch, "failed",
        end switch { BatchStatus.Cancelled => "batch_cancelled", BatchStatus.Expired => "batch_expired", _ => "The run could not begin" },
        ct);

    private async Task ChangeAsync(Batch batch, string status, string? error, CancellationToken ct)
    {
        await using var update = source.CreateCommand("""
            update gateway.runs
              set updated_at = $4, error = $6::text, finish_reason = case when $6::text is null then null else 'error' end,
              document = jsonb_set(document, array['batch_data', 'status'], to_jsonb($5::text))
            where organization_id = $1 and agent_id = $7 and created_at = $3 and batch_id = $2 and finish_reason is null
            """);
        update.Parameters.Add(new() { Value = batch.OrganizationId });
        update.Parameters.Add(new() { Value = batch.Id });
        update.Parameters.Add(new() { Value = batch.CreatedAt });
        update.Parameters.Add(new() { Value = time.GetUtcNow() });
        update.Parameters.Add(new() { Value = status });
        update.Parameters.Add(new() { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        update.Parameters.Add(new() { Value = batch.Document.Text("agent_id") ?? "" });
        await update.ExecuteNonQueryAsync(ct);
    }
}
