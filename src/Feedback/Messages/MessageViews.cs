using Npgsql;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Messages;

/// <summary>One message, and what stands around it in its tree.</summary>
internal sealed class MessageViews(NpgsqlDataSource source)
{
    private const string One = $"select {MessageRows.Columns} from feedback.message m where m.id = $2";

    private const string WholeTree = $"""
        select {MessageRows.Columns}, m.children_count from feedback.message m
        where m.message_tree_id = (select message_tree_id from feedback.message where id = $2) order by m.created_date, m.id
        """;

    private const string Children = $"""
        select {MessageRows.Columns} from feedback.message m where m.parent_id = $2 and not m.deleted order by m.created_date, m.id
        """;

    /// <summary>The message's id by the client's own.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task<Guid> IdOfAsync(Guid clientId, string frontendMessageId, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(
            "select id from feedback.message where api_client_id = $1 and frontend_message_id = $2", clientId, frontendMessageId));
        return await batch.ExecuteScalarAsync(ct) as Guid? ?? throw NotFound();
    }

    /// <summary>Deleted ones too.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task<WireMessage> OneAsync(Guid id, Guid? actingId, CancellationToken ct) =>
        await ReadAsync(One, id, actingId, ct) is [var message] ? message : throw NotFound();

    /// <summary>From the root to the message.</summary>
    /// <exception cref="Failure">2001; 2009: one above it is not accepted, or deleted.</exception>
    public async Task<Conversation> ConversationAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        var tree = await TreeAsync(id, actingId, ct);
        var path = PathTo(tree, tree.First(message => message.Id == id));
        return path.SkipLast(1).All(IsShown) && path[0].ParentId is null
            ? MessageRows.Conversation(path)
            : throw FeedbackCode.BrokenConversation.Refusal("A message above it is missing, deleted or not accepted");
    }

    /// <exception cref="Failure">2001.</exception>
    public async Task<MessageTree> TreeAsync(Guid id, bool withSpam, bool withDeleted, Guid? actingId, CancellationToken ct)
    {
        var tree = await TreeAsync(id, actingId, ct);
        return new(tree[0].MessageTreeId!.Value,
            [.. tree.Where(message => (withSpam || message.ReviewResult == true) && (withDeleted || message.Deleted != true))]);
    }

    /// <summary>Undeleted ones.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task<IReadOnlyList<WireMessage>> ChildrenAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        var children = await ReadAsync(Children, id, actingId, ct);
        if (children.Count == 0)
        {
            _ = await OneAsync(id, actingId, ct);
        }
        return children;
    }

    /// <summary>All below it, depth first.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task<MessageTree> DescendantsAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        var children = (await TreeAsync(id, actingId, ct)).ToLookup(message => message.ParentId);
        List<WireMessage> below = [];
        // No recursion: what was imported may be deep.
        var open = new Stack<WireMessage>(children[id].Reverse());
        while (open.TryPop(out var message))
        {
            below.Add(message);
            foreach (var child in children[message.Id].Reverse())
            {
                open.Push(child);
            }
        }
        return new(id, below);
    }

    /// <summary>To the deepest message that is accepted.</summary>
    /// <exception cref="Failure">2001; 2006: none is.</exception>
    public async Task<Conversation> LongestAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        var tree = await TreeAsync(id, actingId, ct);
        var longest = tree.Where(IsShown).Select(message => PathTo(tree, message))
            .Where(path => path.TrueForAll(IsShown)).MaxBy(path => path.Count);
        return MessageRows.Conversation(longest ?? throw FeedbackCode.NoMessageTreeFound.Refusal("No message of the tree is accepted"));
    }

    /// <summary>The accepted message with the most children, and those of them that are accepted.</summary>
    /// <exception cref="Failure">2001; 2006: none is.</exception>
    public async Task<MessageTree> MostChildrenAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        var tree = await ReadAsync(WholeTree, id, actingId, row => row.GetInt32(MessageRows.Width), ct);
        if (tree.Count == 0)
        {
            throw NotFound();
        }
        var most = tree.Where(entry => IsShown(entry.Message)).OrderByDescending(entry => entry.More).FirstOrDefault().Message
            ?? throw FeedbackCode.NoMessageTreeFound.Refusal("No message of the tree is accepted");
        return new(most.Id!.Value,
            [most, .. tree.Select(entry => entry.Message).Where(message => message.ParentId == most.Id && IsShown(message))]);
    }

    /// <exception cref="Failure">2001; 2006: the tree has no state.</exception>
    public async Task<MessageTreeStateResponse> StateAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(
            """
            select t.message_tree_id, t.state, t.goal_tree_size, t.max_depth, t.max_children_count, t.active, t.origin
            from feedback.message m left join feedback.message_tree_state t on t.message_tree_id = m.message_tree_id where m.id = $1
            """, id));
        await using var row = await batch.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
        {
            throw NotFound();
        }
        return await row.IsDBNullAsync(0, ct)
            ? throw FeedbackCode.NoMessageTreeFound.Refusal("The message has no tree")
            : new(row.GetGuid(0), EnumNames<TreeState>.Read(row.GetString(1)),
                row.GetInt32(2), row.GetInt32(3), row.GetInt32(4), row.GetBoolean(5),
                row.StringOrNull(6));
    }

    /// <summary>Oldest first; none where it was never edited.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task<IReadOnlyList<MessageRevision>> HistoryAsync(Guid id, Guid? actingId, CancellationToken ct)
    {
        _ = await OneAsync(id, actingId, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(
            "select id, text, message_id, user_id, created_date from feedback.message_revision where message_id = $1 order by id", id));
        await using var row = await batch.ExecuteReaderAsync(ct);
        List<MessageRevision> revisions = [];
        while (await row.ReadAsync(ct))
        {
            var author = row.GuidOrNull(3);
            revisions.Add(new(row.GetGuid(0), row.GetString(1), row.GetGuid(2), author,
                row.InstantOrNull(4), actingId is not null && author == actingId));
        }
        return revisions;
    }

    private async Task<List<WireMessage>> TreeAsync(Guid id, Guid? actingId, CancellationToken ct) =>
        await ReadAsync(WholeTree, id, actingId, ct) is { Count: > 0 } tree ? tree : throw NotFound();

    private static List<WireMessage> PathTo(List<WireMessage> tree, WireMessage last)
    {
        List<WireMessage> path = [last];
        while (path[^1].ParentId is { } parent && tree.Find(message => message.Id == parent) is { } above)
        {
            path.Add(above);
        }
        path.Reverse();
        return path;
    }

    private static bool IsShown(WireMessage message) => message is { Deleted: false, ReviewResult: true };

    private static Failure NotFound() => FeedbackCode.MessageNotFound.Refusal("Message not found");

    private async Task<List<WireMessage>> ReadAsync(string sql, Guid id, Guid? actingId, CancellationToken ct) =>
        [.. (await ReadAsync(sql, id, actingId, _ => 0, ct)).Select(entry => entry.Message)];

    private async Task<List<(WireMessage Message, int More)>> ReadAsync(
        string sql, Guid id, Guid? actingId, Func<NpgsqlDataReader, int> more, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(sql, actingId, id));
        await using var row = await batch.ExecuteReaderAsync(ct);
        List<(WireMessage Message, int More)> messages = [];
        while (await row.ReadAsync(ct))
        {
            messages.Add((MessageRows.Read(row, actingId), more(row)));
        }
        return messages;
    }
}
