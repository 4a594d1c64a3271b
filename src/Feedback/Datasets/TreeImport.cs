using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Stoa.Feedback.Trees;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Datasets;

/// <summary>How trees come in from a file.</summary>
/// <param name="Origin">Where they are from; the file's own word wins.</param>
/// <param name="ModelName">Of messages that name none.</param>
/// <param name="Activate">So many of the first trees are to be ranked at once; the others wait.</param>
/// <param name="KeepStates">Each tree stands where the file says, so that what was exported comes back as it was.</param>
internal sealed record TreeImportTerms(
    string Origin, string? ModelName = null, int Activate = 0, long? Limit = null, bool IsDryRun = false, bool KeepStates = false);

internal sealed record TreeImportCounts(long Lines = 0, long Trees = 0, long Messages = 0, long Known = 0, long Orphans = 0);

/// <summary>
/// Takes in files of trees or of single messages, some hundreds of messages in each transaction and in memory. What is known already is
/// left alone, so an import that was cut is begun again and goes on.
/// </summary>
internal sealed class TreeImport(NpgsqlDataSource source, TreeActivation activation, JobQueue queue, TimeProvider time)
{
    /// <summary>The program to which everything imported belongs, as in the original.</summary>
    public static readonly Guid ImportClient = Guid.Parse("bd8fde8b-1d8e-4e9a-9966-e96d000f8363");

    private const int MessagesAtOnce = 1_000;

    /// <summary>Of flat lines that belong to one tree; a file that begins with all prompts is cut nevertheless.</summary>
    private const int MostAtOnce = 20 * MessagesAtOnce;

    private const string Insert = """
        insert into feedback.message (
          id, parent_id, message_tree_id, user_id, role, api_client_id, frontend_message_id, created_date, text, lang, depth, deleted,
          review_count, review_result, rank, synthetic, model_name, emojis)
        select id, parent_id, message_tree_id, $1, role, $2, id::text, created_date, text, lang, depth, deleted,
          review_count, review_result,
          rank, synthetic, model_name, emojis::jsonb
        from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::int[], $11::boolean[],
          $12::int[], $13::boolean[], $14::int[], $15::boolean[], $16::text[], $17::text[])
          as given (id,
            parent_id, message_tree_id, role, created_date, text, lang, depth, deleted, review_count, review_result, rank, synthetic,
            model_name, emojis)
        """;

    private const string InsertTrees = """
        insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state,
          active, origin, lang)
        select message_tree_id, 0, 0, 0, state, active, origin, lang
        from unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::text[]) as given (message_tree_id, state, active, origin, lang)
        """;

    private const string InsertLabels = """
        insert into feedback.imported_label (message_id, name, value, count)
        select message_id, name, value, count
          from unnest($1::uuid[], $2::text[], $3::float8[], $4::int[]) as given (message_id, name, value, count)
        """;

    private const string CountChildren = """
        update feedback.message parent
        set children_count = (select count(*) from feedback.message child where child.parent_id = parent.id and not child.deleted)
        where id = any ($1)
        """;

    /// <param name="progress">Told after each transaction.</param>
    /// <exception cref="InvalidDataException">A line is wrong; what came before it is in.</exception>
    public async Task<TreeImportCounts> RunAsync(
        IAsyncEnumerable<OasstLine> lines, TreeImportTerms terms, IProgress<TreeImportCounts>? progress, CancellationToken ct)
    {
        var author = await EnsureAuthorAsync(ct);
        var counts = new TreeImportCounts();
        var waiting = new List<OasstLine>();
        var size = 0;
        await foreach (var line in lines.WithCancellation(ct))
        {
            if (counts.Lines == terms.Limit)
            {
                break;
            }
            // Not between a prompt and its replies: a tree that is set going with half of them might be done at once.
            if (size >= MostAtOnce || (size >= MessagesAtOnce && line is { Tree: not null } or { Message.ParentId: null }))
            {
                await TakeAsync();
            }
            counts = counts with { Lines = counts.Lines + 1 };
            waiting.Add(line);
            size += line.Tree?.Messages().Count() ?? 1;
        }
        await TakeAsync();
        return counts;

        async Task TakeAsync()
        {
            counts = await SaveAsync(waiting, author, terms, counts, ct);
            waiting.Clear();
            size = 0;
            progress?.Report(counts);
        }
    }

    private async Task<TreeImportCounts> SaveAsync(
        List<OasstLine> lines, Guid author, TreeImportTerms terms, TreeImportCounts counts, CancellationToken ct)
    {
        if (lines.Count == 0)
        {
            return counts;
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var batch = await SortAsync(connection, lines, terms, counts, ct);
        if (!terms.IsDryRun && batch.Messages.Count > 0)
        {
            try
            {
                await WriteAsync(connection, author, batch, ct);
            }
            catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                throw new InvalidDataException(
                    $"Among the lines up to {lines[^1].Number} is a message whose id another tree has, or that comes in at the same time",
                    taken);
            }
            await transaction.CommitAsync(ct);
            Wake();
        }
        return batch.Counts;
    }

    /// <summary>In the transaction that is open on the connection; whoever commits it calls <see cref="Wake"/>.</summary>
    /// <returns>The trees that are new.</returns>
    public async Task<IReadOnlyList<Guid>> AddAsync(
        NpgsqlConnection connection, Guid author, IEnumerable<OasstTree> trees, TreeImportTerms terms, CancellationToken ct)
    {
        var batch = await SortAsync(connection, [.. trees.Select((tree, index) => new OasstLine(index + 1, tree, null))], terms, new(), ct);
        if (batch.Messages.Count > 0)
        {
            await WriteAsync(connection, author, batch, ct);
        }
        return [.. batch.Trees.Select(tree => tree.Id)];
    }

    /// <summary>Jobs may have come of it.</summary>
    public void Wake() => queue.Wake();

    private async Task<ImportBatch> SortAsync(
        NpgsqlConnection connection, List<OasstLine> lines, TreeImportTerms terms, TreeImportCounts counts, CancellationToken ct)
    {
        var batch = new ImportBatch(terms, await KnownAsync(connection, lines, ct), counts, time.GetUtcNow());
        lines.ForEach(batch.Add);
        return batch;
    }

    /// <summary>Which of the messages and parents are there, with depth and tree.</summary>
    private static async Task<Dictionary<Guid, KnownMessage>> KnownAsync(
        NpgsqlConnection connection, List<OasstLine> lines, CancellationToken ct)
    {
        var named = lines.SelectMany(line => line.Tree is { } tree
            ? [Guid.Parse(tree.MessageTreeId)]
            : line.Message is { ParentId: { } parent } message
            ? new[] { Guid.Parse(message.MessageId), Guid.Parse(parent) } : [Guid.Parse(line.Message!.MessageId)]);
        var rows = await connection.ListAsync(
            Statement.Of("select id, message_tree_id, depth from feedback.message where id = any ($1)", named.Distinct().ToArray()),
            row => KeyValuePair.Create(row.GetGuid(0), new KnownMessage(row.GetGuid(1), row.GetInt32(2))), ct);
        return rows.ToDictionary();
    }

    private async Task WriteAsync(NpgsqlConnection connection, Guid author, ImportBatch batch, CancellationToken ct)
    {
        var messages = batch.Messages;
        T[] Column<T>(Func<ImportedMessage, T> value) => [.. messages.Select(value)];
        var insert = Statement.Of(
            Insert, author, ImportClient, Column(one => one.Id), Column(one => one.ParentId),
            Column(one => one.TreeId), Column(one => one.Message.Role),
            Column(one => one.CreatedDate), Column(one => one.Message.Text), Column(one => one.Lang), Column(one => one.Depth),
            Column(one => one.Message.Deleted ?? false), Column(one => one.Message.ReviewCount ?? 0),
            Column(one => one.Message.ReviewResult ?? true),
            Column(one => one.Message.Rank), Column(one => one.Message.Synthetic ?? true),
            Column(one => one.Message.ModelName ?? batch.Terms.ModelName),
            Column(one => one.Message.Emojis is { } emojis
                ? JsonSerializer.Serialize(emojis.ToDictionary(), FeedbackJson.Default.DictionaryStringInt32) : null));
        // Columns that may hold null say what they are.
        insert.Parameters[15].NpgsqlDbType = insert.Parameters[16].NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text;
        await connection.ExecuteAsync(insert, ct);
        if (batch.Trees.Count > 0)
        {
            await connection.ExecuteAsync(
                Statement.Of(
                    InsertTrees, batch.Trees.Select(tree => tree.Id).ToArray(),
                    batch.Trees.Select(tree => EnumNames<TreeState>.Write(tree.State)).ToArray(),
                    batch.Trees.Select(tree => tree.Active).ToArray(), batch.Trees.Select(tree => tree.Origin).ToArray(),
                    batch.Trees.Select(tree => tree.Lang).ToArray()),
                ct);
        }
        var labels = messages.SelectMany(one => (one.Message.Labels ?? new Dictionary<string, OasstLabel>())
            .Select(label => (one.Id, label))).ToList();
        if (labels.Count > 0)
        {
            await connection.ExecuteAsync(
                Statement.Of(
                    InsertLabels, labels.Select(one => one.Id).ToArray(), labels.Select(one => one.label.Key).ToArray(),
                    labels.Select(one => one.label.Value.Value).ToArray(), labels.Select(one => one.label.Value.Count).ToArray()),
                ct);
        }
        await connection.ExecuteAsync(
            Statement.Of(CountChildren, messages.Select(one => one.ParentId).OfType<Guid>().Distinct().ToArray()), ct);
        await activation.SettleAsync(connection, batch.ActiveTrees, ImportClient, resume: false, ct);
    }

    /// <summary>The system's own user, hidden from the boards.</summary>
    public async Task<Guid> EnsureAuthorAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await source.ExecuteAsync(
            // Nobody calls with its key, since nobody knows it.
            Statement.Of("""
                insert into feedback.api_client (id, key_hash, description, frontend_type, trusted, created_at)
                values ($1, $2, 'import', 'import', false, $3) on conflict do nothing
                """, ImportClient, RandomNumberGenerator.GetBytes(32), now),
            ct);
        var users = await source.ListAsync(
            Statement.Of("""
                insert into feedback.user as u (
                  id, api_client_id, username, auth_method, display_name, created_date, show_on_leaderboard, tos_acceptance_date)
                values ($1, $2, 'import', 'system', '__system__/import', $3, false, $3)
                on conflict (api_client_id, username, auth_method) do update set username = u.username
                returning id
                """, Guid.CreateVersion7(now), ImportClient, now),
            row => row.GetGuid(0), ct);
        return users[0];
    }
}
