using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Stoa.Feedback.Trees;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Datasets;

/// <summary>
/// Streams trees out of the store by their ids: one statement, one tree in memory. Messages come by tree, date and id, so that the same
/// selection gives the same order.
/// </summary>
internal sealed partial class TreeSource(NpgsqlDataSource source, ILogger<TreeSource> logger)
{
    private const string Labels = """
        (select jsonb_object_agg(name, jsonb_build_object('value', value, 'count', count)) from (
          select name, sum(value * count) / sum(count) as value, sum(count) as count from (
            select key as name, value::float8 as value, 1 as count
            from feedback.text_labels, jsonb_each_text(labels) where text_labels.message_id = message.id
            union all
            select name, value, count from feedback.imported_label where imported_label.message_id = message.id) as single
          group by name) as means)
        """;

    private const string Events = """
        (select jsonb_build_object(
          'emoji',
            (select jsonb_agg(jsonb_build_object('type', 'emoji', 'user_id', user_id, 'emoji', emoji) order by created_date, user_id, emoji)
            from feedback.message_emoji where message_emoji.message_id = message.id),
          'rating',
            (select jsonb_agg(jsonb_build_object('type', 'rating', 'user_id', user_id, 'rating', rating::text)
            order by created_date, task_id)
            from feedback.message_reaction where message_reaction.message_id = message.id and kind = 'rating'),
          'ranking', (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
              'type', 'ranking', 'user_id', user_id, 'ranking', to_jsonb(ranking), 'ranked_message_ids', to_jsonb(ranked_ids),
              'ranking_parent_id', ranking_parent_id, 'message_tree_id', message_tree_id,
              'not_rankable', case when not_rankable then true end)) order by created_date, task_id)
            from feedback.message_reaction where ranking_parent_id = message.id and kind = 'ranking')))
        """;

    /// <summary>A tree without its root is left out, with a warning.</summary>
    /// <param name="after">Begins behind this tree.</param>
    public async IAsyncEnumerable<(Guid Id, OasstTree Tree)> TreesAsync(
        TreeSelection selection, Guid? after, [EnumeratorCancellation] CancellationToken ct)
    {
        if (selection.Limit <= 0)
        {
            yield break;
        }
        var given = 0;
        var open = new List<(Row Row, OasstMessage Message)>();
        await foreach (var row in RowsAsync(selection, after, ct))
        {
            if (open is [var (first, _), ..] && first.TreeId != row.Row.TreeId)
            {
                if (Assemble(open, selection) is { } whole)
                {
                    yield return (first.TreeId, whole);
                    if (++given == selection.Limit)
                    {
                        yield break;
                    }
                }
                open.Clear();
            }
            open.Add(row);
        }
        if (open.Count > 0 && Assemble(open, selection) is { } last)
        {
            yield return (open[0].Row.TreeId, last);
        }
    }

    /// <summary>Messages by themselves, each with the id and the state of its tree.</summary>
    public async IAsyncEnumerable<OasstMessage> MessagesAsync(TreeSelection selection, [EnumeratorCancellation] CancellationToken ct)
    {
        if (selection.Limit <= 0)
        {
            yield break;
        }
        var given = 0;
        await foreach (var (row, message) in RowsAsync(selection, after: null, ct))
        {
            if (selection.Takes(message))
            {
                yield return message with { MessageTreeId = row.TreeId.ToString(), TreeState = row.State };
                if (++given == selection.Limit)
                {
                    yield break;
                }
            }
        }
    }

    private OasstTree? Assemble(List<(Row Row, OasstMessage Message)> rows, TreeSelection selection)
    {
        var tree = rows[0].Row;
        var children = rows.Where(row => row.Row.ParentId is not null).ToLookup(row => row.Row.ParentId, row => row);
        var first = rows.Find(row => row.Row.ParentId is null);
        if (first.Message is not { } root)
        {
            LogRootless(tree.TreeId);
            return null;
        }
        if (!selection.Takes(root))
        {
            return null;
        }
        return new()
        {
            MessageTreeId = tree.TreeId.ToString(), TreeState = tree.State, Origin = tree.Origin,
            Prompt = selection.PromptsOnly ? root with { Replies = [] } : WithReplies(first),
        };

        OasstMessage WithReplies((Row Row, OasstMessage Message) node) => node.Message with
        {
            Replies = [.. children[node.Row.Id].Where(reply => selection.Takes(reply.Message))
                .OrderBy(reply => reply.Message.Rank ?? int.MaxValue).Select(WithReplies)],
        };
    }

    private async IAsyncEnumerable<(Row Row, OasstMessage Message)> RowsAsync(
        TreeSelection selection, Guid? after, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Sql(selection), connection);
        foreach (var (value, type) in (List<(object?, NpgsqlDbType)>)[
            (after, NpgsqlDbType.Uuid), (selection.State is { } state ? EnumNames<TreeState>.Write(state) : null, NpgsqlDbType.Text),
            (selection.Lang, NpgsqlDbType.Text), (selection.UserId, NpgsqlDbType.Uuid), (selection.From, NpgsqlDbType.TimestampTz),
            (selection.Before, NpgsqlDbType.TimestampTz)])
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        }
        // As long as a large export takes.
        command.CommandTimeout = 0;
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            yield return Read(row, selection);
        }
    }

    private static string Sql(TreeSelection selection)
    {
        var sql = $"""
            select message.id, message.parent_id, tree.message_tree_id, tree.state, tree.origin, message.user_id, message.created_date,
              message.text, message.role, message.lang, message.review_count, message.review_result, message.deleted, message.rank,
              message.synthetic, message.model_name, message.emojis,
              {(selection.NeedsLabels ? Labels : "null::jsonb")}, {(selection.WithEvents ? Events : "null::jsonb")}
            from feedback.message_tree_state as tree
            join feedback.message as root on root.id = tree.message_tree_id
            join feedback.message on message.message_tree_id = tree.message_tree_id
            where ($1 is null or tree.message_tree_id > $1)
            """;
        sql += selection.State is null || selection.UserId is not null ? "" : " and tree.state = $2";
        sql += selection.Lang is null ? "" : " and tree.lang = $3";
        sql += selection.UserId is null ? "" : " and message.user_id = $4";
        sql += selection.From is null ? "" : " and root.created_date >= $5";
        sql += selection.Before is null ? "" : " and root.created_date < $6";
        sql += selection.PromptsOnly ? " and message.parent_id is null" : "";
        sql += selection.Deleted switch { Share.None => " and not message.deleted",
            Share.Only => " and message.deleted", Share.Included => "" };
        sql += selection.Spam switch
        {
            Share.None => " and message.review_result", Share.Only => " and not message.review_result", Share.Included => "",
        };
        const string hasSynthetic =
            "exists (select from feedback.message other where other.message_tree_id = tree.message_tree_id and other.synthetic)";
        sql += selection.Synthetic switch
        {
            Share.None => $" and not {hasSynthetic}", Share.Only => $" and {hasSynthetic}", Share.Included => "",
        };
        return $"{sql} order by message.message_tree_id, message.created_date, message.id";
    }

    private static (Row Row, OasstMessage Message) Read(NpgsqlDataReader row, TreeSelection selection)
    {
        var (reviews, result) = (row.GetInt32(10), row.IsDBNull(11) ? (bool?)null : row.GetBoolean(11));
        var message = new OasstMessage
        {
            MessageId = row.GetGuid(0).ToString(),
            ParentId = row.GuidOrNull(1)?.ToString(),
            UserId = row.GuidOrNull(5)?.ToString(),
            CreatedDate = row.GetFieldValue<DateTimeOffset>(6),
            Text = row.GetString(7),
            Role = row.GetString(8),
            Lang = row.GetString(9),
            ReviewCount = reviews,
            // A refusal by few says little.
            ReviewResult = result is false && reviews <= 2 ? null : result,
            Deleted = row.GetBoolean(12),
            Rank = row.Int32OrNull(13),
            Synthetic = row.GetBoolean(14),
            ModelName = row.StringOrNull(15),
            Emojis = row.StringOrNull(16) is { } emojis
                ? JsonSerializer.Deserialize(emojis, FeedbackJson.Default.DictionaryStringInt32) : null,
            Labels = row.StringOrNull(17) is { } labels ? JsonSerializer.Deserialize(labels, DatasetJson.Default.DictionaryStringOasstLabel)
                : selection.NeedsLabels ? new Dictionary<string, OasstLabel>() : null,
            Events = row.StringOrNull(18) is { } events ? JsonSerializer.Deserialize(events, DatasetJson.Default.OasstEvents) : null,
        };
        return (new(row.GetGuid(0), row.GuidOrNull(1), row.GetGuid(2), row.GetString(3), row.StringOrNull(4)), message);
    }

    [LoggerMessage(LogLevel.Warning, "Tree {Tree} is left out: its prompt is not among what was chosen")]
    private partial void LogRootless(Guid tree);

    private sealed record Row(Guid Id, Guid? ParentId, Guid TreeId, string State, string? Origin);
}
