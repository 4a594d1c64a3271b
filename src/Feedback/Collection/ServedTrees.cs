using Npgsql;
using NpgsqlTypes;
using Stoa.Feedback.Datasets;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Collection;

/// <summary>Makes trees of served conversations, ready to be ranked, and remembers what made each reply.</summary>
internal sealed class ServedTrees(NpgsqlDataSource source, TreeImport import, TimeProvider time)
{
    private const string Mine = """
        select message_tree_id from feedback.message join feedback.message_source on message_id = message.id
        where message_tree_id = any ($1) and organization_id = $2
        """;

    private const string WriteSources = """
        insert into feedback.message_source (message_id, organization_id, name, agent_version, model, provider, call_id)
        select message_id, $1, name, agent_version, model, provider, call_id
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
          as given (message_id, name, agent_version, model, provider, call_id)
        """;

    /// <exception cref="Failure">Conflict: a tree of somebody else's has one of the ids.</exception>
    public async Task<MadeTrees> AddAsync(Guid organizationId, NewTrees trees, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var author = await import.EnsureAuthorAsync(ct);
        var drafts = trees.Trees!.Select(tree => Draft.Of(tree, now)).ToList();
        try
        {
            return await AddAsync(organizationId, author, drafts, ct);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same tree came in at the same time: now it is there.
            return await AddAsync(organizationId, author, drafts, ct);
        }
    }

    private async Task<MadeTrees> AddAsync(Guid organizationId, Guid author, List<Draft> drafts, CancellationToken ct)
    {
        var ids = drafts.Select(draft => draft.Id).ToArray();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var made = (await import.AddAsync(
            connection, author, drafts.Select(draft => draft.Tree), new("served", Activate: int.MaxValue), ct)).ToHashSet();
        var fresh = drafts.Where(draft => made.Contains(draft.Id)).ToList();
        await WriteSourcesAsync(connection, organizationId, fresh, ct);
        var mine = (await connection.ListAsync(Statement.Of(Mine, ids, organizationId), row => row.GetGuid(0), ct)).ToHashSet();
        if (!mine.IsSupersetOf(ids))
        {
            throw new Failure(FailureKind.Conflict, "id_taken", "An id is taken by another message");
        }
        await transaction.CommitAsync(ct);
        import.Wake();
        return new([.. drafts.Select(draft => made.Contains(draft.Id)
            ? new MadeTree(draft.Id, IsNew: true, [.. draft.Candidates.Select(candidate => candidate.Id)])
            : new MadeTree(draft.Id, IsNew: false, []))]);
    }

    private static async Task WriteSourcesAsync(NpgsqlConnection connection, Guid organizationId, List<Draft> drafts, CancellationToken ct)
    {
        var candidates = drafts.SelectMany(draft => draft.Candidates).ToList();
        var statement = Statement.Of(WriteSources, organizationId, candidates.Select(candidate => candidate.Id).ToArray());
        foreach (var column in (Func<ReplySource, string?>[])[
            source => source.Name, source => source.AgentVersion,
            source => source.Model, source => source.Provider, source => source.CallId])
        {
            statement.Parameters.Add(new()
            {
                Value = candidates.Select(candidate => column(candidate.Source)).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            });
        }
        await connection.ExecuteAsync(statement, ct);
    }

    private sealed record Draft(Guid Id, OasstTree Tree, IReadOnlyList<(Guid Id, ReplySource Source)> Candidates)
    {
        public static Draft Of(NewTree tree, DateTimeOffset now)
        {
            var id = tree.Id ?? Guid.CreateVersion7(now);
            var candidates = tree.Candidates!.Select(candidate => (Id: Guid.CreateVersion7(now), Source: candidate.Source!, candidate.Text))
                .ToList();
            var turns = tree.Conversation!;
            var ids = turns.Select((_, index) => index == 0 ? id : Guid.CreateVersion7(now)).ToList();
            IReadOnlyList<OasstMessage> replies =
            [
                .. candidates.Select(candidate => new OasstMessage
                {
                    MessageId = candidate.Id.ToString(), ParentId = ids[^1].ToString(),
                    Role = OasstMessage.Assistant, Text = candidate.Text!,
                    Lang = tree.Lang, CreatedDate = now, Synthetic = true, ModelName = candidate.Source.Model,
                }),
            ];
            for (var turn = turns.Count - 1; turn >= 0; turn--)
            {
                var isAssistant = turns[turn].Role == "assistant";
                replies =
                [
                    new()
                    {
                        MessageId = ids[turn].ToString(), ParentId = turn == 0 ? null : ids[turn - 1].ToString(),
                        Lang = tree.Lang, CreatedDate = now,
                        Role = isAssistant ? OasstMessage.Assistant : OasstMessage.Prompter,
                        Text = turns[turn].Text!, Synthetic = isAssistant,
                        Replies = replies,
                    },
                ];
            }
            return new(
                id,
                new() { MessageTreeId = id.ToString(), TreeState = "ranking", Origin = tree.Origin, Prompt = replies[0] },
                [.. candidates.Select(candidate => (candidate.Id, candidate.Source))]);
        }
    }
}
