using Npgsql;
using Stoa.Platform.Privacy;

namespace Stoa.Feedback.Privacy;

/// <summary>
/// What is kept about a person who takes part under the sign-in that is linked to his account: the same provider and the same id there. A
/// program's own local names belong to nobody here.
/// </summary>
internal sealed class FeedbackData(NpgsqlDataSource source) : IPersonalData
{
    private const string Own = """
        select u.id from platform.external_accounts account
        join feedback.user u on u.username = account.subject and u.auth_method = account.provider
        where account.person_id = $1
        union
        select linked.user_id from platform.external_accounts account
        join feedback.account linked on linked.provider = account.provider and linked.provider_account_id = account.subject
        where account.person_id = $1
        """;

    // Each by user ids.
    private static readonly (string File, string Sql)[] Parts =
    [
        ("users", "select to_jsonb(u) - 'api_client_id' - 'last_active_day' from feedback.user u where id = any ($1)"),
        ("messages", """
            select jsonb_build_object('id', id, 'parent_id', parent_id, 'created_date', created_date, 'role', role, 'lang',
              lang, 'text', text)
            from feedback.message where user_id = any ($1) order by created_date, id
            """),
        ("revisions", "select to_jsonb(r) from feedback.message_revision r where user_id = any ($1) order by id"),
        ("labels", "select to_jsonb(l) - 'api_client_id' from feedback.text_labels l where user_id = any ($1) order by created_date, id"),
        ("rankings",
            "select to_jsonb(r) - 'api_client_id' from feedback.message_reaction r where user_id = any ($1) order by created_date, task_id"),
        ("emojis", "select to_jsonb(e) from feedback.message_emoji e where user_id = any ($1) order by created_date, message_id, emoji"),
        ("tasks", "select to_jsonb(t) - 'api_client_id' from feedback.task t where user_id = any ($1) order by created_date, id"),
    ];

    public string Name => "feedback";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct) =>
        await folder.AddAsync(
            source, Parts, (await source.ListAsync(Statement.Of(Own, personId), row => row.GetGuid(0), ct)).ToArray(), ct);

    /// <summary>
    /// The names go, and with them who he was; what he wrote and judged stays under an id that stands for nobody, as trees and datasets
    /// hang on it. Taking the texts out as well is a purge, which is an administrator's decision.
    /// </summary>
    public async Task EraseAsync(Guid personId, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var users = await OwnAsync(connection, personId, ct);
        await connection.ExecuteAsync(Statement.Of("delete from feedback.account where user_id = any ($1)", users), ct);
        await connection.ExecuteAsync(
            Statement.Of("""
                update feedback.user set deleted = true, enabled = false, display_name = 'Deleted User', username = 'deleted_' || id,
                  auth_method = 'local', notes = '', show_on_leaderboard = false, tos_acceptance_date = null
                where id = any ($1)
                """, users),
            ct);
        await transaction.CommitAsync(ct);
    }

    private static async Task<Guid[]> OwnAsync(NpgsqlConnection connection, Guid personId, CancellationToken ct) =>
        [.. await connection.ListAsync(Statement.Of(Own, personId), row => row.GetGuid(0), ct)];
}
