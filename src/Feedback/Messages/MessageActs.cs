using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Messages;

/// <summary>What is done to a message that exists.</summary>
internal sealed class MessageActs(
    FeedbackChanges changes, NpgsqlDataSource source, UserStore users, TreeKeeper keeper, IOptions<FeedbackOptions> options)
{
    /// <summary>Adds or takes away an emoji.</summary>
    /// <exception cref="Failure">2001, 2012, 4001, 4003.</exception>
    public Task<FeedbackUser> MarkAsync(ApiClient client, Guid messageId, MessageEmojiRequest request, CancellationToken ct) =>
        changes.RunAsync(
        async change =>
        {
            var user = UserStore.RequireEnabled(await users.EnsureAsync(change.Connection, client, request.User, ct), options.Value);
            if (await EmojiMarks.LockAsync(change, messageId, user.Id, ct) is not { IsDeleted: false } marks)
            {
                throw NotFound();
            }
            var (added, removed) = EmojiMarks.Changes(request.Op, request.Emoji, marks.Own, marks.IsAuthor);
            EmojiMarks.Write(change, messageId, user.Id, added, removed);
            foreach (var emoji in added)
            {
                EmojiMarks.Watch(change, messageId, marks.Counts, emoji, options.Value.TreeManager, changes.Queue);
            }
            if (added.Length + removed.Length > 0)
            {
                change.Note("message_emoji", client.Id, user.Id, messageId, marks.TreeId, new()
                {
                    ["type"] = "message_emoji",
                    ["user_id"] = user.Id,
                    ["message_id"] = messageId,
                    ["added"] = new JsonArray([.. added.Select(emoji => JsonValue.Create(emoji))]),
                    ["removed"] = new JsonArray([.. removed.Select(emoji => JsonValue.Create(emoji))]),
                });
            }
            return user;
        },
        ct);

    /// <summary>A new text; the old ones are kept as revisions.</summary>
    /// <exception cref="Failure">2001, 1008, 1010, 2012.</exception>
    public Task EditAsync(ApiClient client, Guid messageId, MessageEditRequest request, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            var editor = await users.EnsureAsync(change.Connection, client, request.User, ct);
            if (string.IsNullOrWhiteSpace(request.NewContent))
            {
                throw FeedbackCode.TaskMessageTextEmpty.Refusal("The text is empty");
            }
            if (request.NewContent.EnumerateRunes().Count() > options.Value.MessageSizeLimit)
            {
                throw FeedbackCode.TaskMessageTooLong.Refusal($"The text has more than {options.Value.MessageSizeLimit} characters");
            }
            var original = await LockTextAsync(change, messageId, ct) ?? throw NotFound();
            if (!original.Edited)
            {
                Keep(change, Guid.CreateVersion7(original.CreatedDate), messageId, original.Text, original.UserId, original.CreatedDate);
            }
            Keep(change, change.NewId(), messageId, request.NewContent, editor.Id, change.Now);
            change.Write(
                """
                update feedback.message
                  set text = $2::text, edited = true, search_vector = to_tsvector(feedback.words(lang), $2) where id = $1
                """, messageId, request.NewContent);
            change.Note("edit_message", client.Id, editor.Id, messageId, original.TreeId, new()
            {
                ["type"] = "edit_message",
                ["user_id"] = editor.Id,
                ["message_id"] = messageId,
                ["length"] = request.NewContent.Length,
            });
        },
        ct);

    /// <summary>The message and all below it; nothing happens where there is none.</summary>
    public Task DeleteAsync(ApiClient client, Guid messageId, CancellationToken ct) => ChangeTreeAsync(
        client, messageId, (change, hand, message) => MessageDeletion.Delete(change, hand.Tree, message, client.Id), ct);

    /// <summary>All messages of a user, each with all below it, tree by tree.</summary>
    public async Task DeleteOfAsync(ApiClient client, Guid userId, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var trees = await connection.ListAsync(
            Statement.Of("select distinct message_tree_id from feedback.message where user_id = $1 and not deleted", userId),
            row => row.GetGuid(0), ct);
        foreach (var tree in trees)
        {
            await changes.RunAsync(
                async change =>
                {
                    if (await TreeStore.LoadAsync(change, tree, ct) is { } hand)
                    {
                        foreach (var message in hand.Tree.Messages.Where(message => message.UserId == userId))
                        {
                            MessageDeletion.Delete(change, hand.Tree, message, client.Id);
                        }
                        await keeper.SettleAsync(change, hand, client.Id, ct);
                    }
                },
                ct);
        }
    }

    /// <exception cref="Failure">2001.</exception>
    public async Task RestoreAsync(ApiClient client, Guid messageId, CancellationToken ct)
    {
        if (!await ChangeTreeAsync(
            client, messageId, (change, hand, message) => MessageDeletion.Restore(change, hand.Tree, message, client.Id), ct))
        {
            throw NotFound();
        }
    }

    /// <summary>Takes the message's tree out of everything, or sets it going again.</summary>
    /// <exception cref="Failure">2001.</exception>
    public async Task HaltAsync(ApiClient client, Guid messageId, bool halts, CancellationToken ct)
    {
        if (!await ChangeTreeAsync(
            client, messageId,
            (change, hand, _) => keeper.Move(
                change, hand.Tree, halts ? TreeState.HaltedByModerator : TreeRules.Resumed(hand.Tree.Row), client.Id),
            ct))
        {
            throw NotFound();
        }
    }

    /// <summary>False when there is no such message.</summary>
    private Task<bool> ChangeTreeAsync(
        ApiClient client, Guid messageId, Action<FeedbackChange, TreeInHand, TreeMessage> act, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            if (await TreeStore.OfMessageAsync(change, messageId, ct) is not { } hand || hand.Tree.Find(messageId) is not { } message)
            {
                return false;
            }
            act(change, hand, message);
            await keeper.SettleAsync(change, hand, client.Id, ct);
            return true;
        },
        ct);

    private static async Task<Original?> LockTextAsync(FeedbackChange change, Guid messageId, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            "select text, user_id, created_date, edited, message_tree_id from feedback.message where id = $1 for no key update",
            messageId));
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct)
            ? new(row.GetString(0), row.GuidOrNull(1), row.GetFieldValue<DateTimeOffset>(2), row.GetBoolean(3), row.GetGuid(4))
            : null;
    }

    private static void Keep(FeedbackChange change, Guid id, Guid messageId, string text, Guid? userId, DateTimeOffset at) => change.Write(
        "insert into feedback.message_revision (id, text, message_id, user_id, created_date) values ($1, $2, $3, $4::uuid, $5)",
        id, text, messageId, userId, at);

    private static Failure NotFound() => FeedbackCode.MessageNotFound.Refusal("Message not found");

    private sealed record Original(string Text, Guid? UserId, DateTimeOffset CreatedDate, bool Edited, Guid TreeId);
}
