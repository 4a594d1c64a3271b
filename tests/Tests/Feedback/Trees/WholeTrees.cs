using Npgsql;

namespace Stoa.Tests.Feedback.Trees;

/// <summary>
/// Looks at every tree in memory, by rules of its own: one root; parents in the same tree, one level up, without a circle; counts as they
/// are; what is below something deleted is deleted; ranks of siblings in a row; a done task has its text; no step that is due was not
/// taken.
/// </summary>
internal static class WholeTrees
{
    public static async Task<List<string>> FaultsAsync(ReadingSite site, int reviews, int rankings)
    {
        var messages = await ListAsync(site, """
            select id, parent_id, message_tree_id, depth, deleted, coalesce(review_result, false), review_count, children_count, rank, role,
              (select count(*)::int from feedback.message_reaction where kind = 'ranking' and ranking_parent_id = message.id)
            from feedback.message
            """, row => new Message(
                row.GetGuid(0), row.IsDBNull(1) ? null : row.GetGuid(1),
                row.GetGuid(2), row.GetInt32(3), row.GetBoolean(4), row.GetBoolean(5),
                row.GetInt32(6), row.GetInt32(7), row.IsDBNull(8) ? null : row.GetInt32(8), row.GetString(9), row.GetInt32(10)));
        var trees = await ListAsync(site, "select message_tree_id, state, active, goal_tree_size from feedback.message_tree_state", row =>
            (Id: row.GetGuid(0), State: row.GetString(1), Active: row.GetBoolean(2), Goal: row.GetInt32(3)));
        var unmatched = await ListAsync(site, """
            select coalesce(task.id, message.id) from (
              select id from feedback.task
                where done and not collective and type in ('initial_prompt', 'prompter_reply', 'assistant_reply')) as task
            full join feedback.message on message.task_id = task.id
            where task.id is null or message.id is null
            """, row => row.GetGuid(0));
        var members = messages.ToLookup(message => message.Tree);
        return
        [
            .. unmatched.Select(id => $"{id}: a done task without its text, or a text without its task"),
            .. members.Where(tree => trees.TrueForAll(one => one.Id != tree.Key)).Select(tree => $"{tree.Key}: without a state"),
            .. trees.SelectMany(tree => Shape([.. members[tree.Id]], tree.Id)
                .Concat(State([.. members[tree.Id]], tree.State, tree.Active, tree.Goal, reviews, rankings))
                .Select(fault => $"{tree.Id} ({tree.State}): {fault}")),
        ];
    }

    private static IEnumerable<string> Shape(List<Message> tree, Guid id)
    {
        if (tree.FindAll(message => message.Parent is null) is not [{ Depth: 0 } root] || root.Id != id)
        {
            yield return "not exactly one root, of the tree's own id";
            yield break;
        }
        var children = tree.ToLookup(message => message.Parent);
        var (reached, level) = (0, new List<Message> { root });
        for (var depth = 0; level.Count > 0; depth++)
        {
            reached += level.Count;
            foreach (var message in level)
            {
                if (message.Depth != depth)
                {
                    yield return $"{message.Id} has depth {message.Depth}, at level {depth}";
                }
                if (message.Children != children[message.Id].Count(child => !child.Deleted))
                {
                    yield return $"{message.Id} counts {message.Children} children, {children[message.Id].Count(child => !child.Deleted)} are there";
                }
                if (message.Deleted && children[message.Id].Any(child => !child.Deleted))
                {
                    yield return $"{message.Id} is deleted, and something below is not";
                }
                var ranks = children[message.Id].Where(child => child.Rank is not null)
                    .Select(child => child.Rank!.Value).Order().ToArray();
                if (!ranks.SequenceEqual(Enumerable.Range(0, ranks.Length)))
                {
                    yield return $"the ranks below {message.Id} are {string.Join(' ', ranks)}";
                }
            }
            level = [.. level.SelectMany(message => children[message.Id])];
        }
        if (reached != tree.Count)
        {
            yield return $"{tree.Count - reached} messages hang on nothing";
        }
    }

    private static IEnumerable<string> State(List<Message> tree, string state, bool active, int goal, int reviews, int rankings)
    {
        var accepted = tree.Count(message => message.IsAccepted);
        var reviewed = !tree.Exists(message => !message.Deleted && !message.Accepted && message.Reviews < reviews);
        var ranked = tree.Where(message => message.IsAccepted && message is { Role: "assistant", Parent: not null })
            .GroupBy(message => message.Parent!.Value).Where(siblings => siblings.Count() > 1)
            .All(siblings => tree.Find(message => message.Id == siblings.Key)!.Rankings >= rankings);
        var root = tree.Find(message => message.Parent is null)!;
        if (active != (state is "initial_prompt_review" or "growing" or "ranking" or "ready_for_scoring"))
        {
            yield return $"active is {active}";
        }
        if (state switch
        {
            "initial_prompt_review" => root.Deleted || root.Accepted,
            "prompt_lottery_waiting" => !root.Accepted,
            "growing" => accepted == 0 || (accepted >= goal && reviewed),
            "ranking" => ranked || tree.Count(message => message.Accepted) < goal,
            "ready_for_export" => tree.Count(message => message.Accepted) < goal,
            _ => state is "ready_for_scoring" or "scoring_failed",
        })
        {
            yield return $"of {tree.Count} messages {accepted} are accepted, {goal} wanted; reviewed: {reviewed}, ranked: {ranked}";
        }
    }

    private static async Task<List<T>> ListAsync<T>(ReadingSite site, string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = site.Database.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        List<T> rows = [];
        while (await row.ReadAsync(TestContext.Current.CancellationToken))
        {
            rows.Add(read(row));
        }
        return rows;
    }

    /// <param name="Accepted">Whether it is deleted or not.</param>
    /// <param name="Rankings">Of its children.</param>
    private sealed record Message(
        Guid Id, Guid? Parent, Guid Tree, int Depth, bool Deleted, bool Accepted,
        int Reviews, int Children, int? Rank, string Role, int Rankings)
    {
        public bool IsAccepted => Accepted && !Deleted;
    }
}
