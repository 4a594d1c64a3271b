using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>Hands tasks out, and keeps what became of them.</summary>
internal sealed class TaskStore(
    FeedbackChanges changes, UserStore users, IOptions<FeedbackOptions> options, TimeProvider time, NpgsqlDataSource source)
{
    private readonly OfferPicks picks = new(options.Value, source);

    private TreeManagerOptions Rules => options.Value.TreeManager;

    /// <summary>Something for the user to do, held for him.</summary>
    /// <exception cref="Failure">4000 to 4003, 2012, 1012, or 1006: there is nothing of the kind for him.</exception>
    public Task<WireTask> RequestAsync(ApiClient client, TaskRequest request, CancellationToken ct) => FeedbackChanges.TryAsync(
        async () =>
        {
            var named = request.User ?? throw FeedbackCode.UserNotSpecified.Refusal("No user was named");
            UserStore.RequireName(named);
            var draft = new TaskDraft(
                Guid.CreateVersion7(time.GetUtcNow()), client, request, named, TaskBuilding.Reviews(request.Type, Rules, Random.Shared));
            var wishes = TaskDraw.Wishes(request.Type, Rules, Random.Shared).ToList();
            var picked = await HandOutAsync(draft, NextOffers(wishes), ct) ?? await FulfilAsync(draft, wishes, ct);
            return TaskBuilding.Build(draft, picked);
        });

    /// <summary>How many tasks of each type there are for the user. Changes nothing.</summary>
    public async Task<Dictionary<string, int>> AvailableAsync(ApiClient client, User? named, string lang, CancellationToken ct)
    {
        var user = UserStore.RequireEnabled(named is null ? null : await users.EnsureAsync(client, named, ct), options.Value);
        var prompts = Rules.TakesPromptsIn(lang) ? await MissingPromptsAsync(lang, ct) : 0;
        await using var connection = await source.OpenConnectionAsync(ct);
        var counts = TaskType.Requests.ToDictionary(type => type, _ => 0, StringComparer.Ordinal);
        counts[TaskType.InitialPrompt] = prompts;
        await using var batch = await Statement.BatchAsync(connection, ct, picks.Count(user.Id, lang, time.GetUtcNow()));
        await using var row = await batch.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            counts[row.GetString(0)] = row.GetInt32(1);
        }
        counts[TaskType.Random] = counts.Values.Sum();
        return counts;
    }

    /// <summary>The user does not want the task. It can still be answered, and no longer counts as open.</summary>
    /// <param name="acting">Without one, the task's own user.</param>
    /// <exception cref="Failure">4000, 4001, 4003, 2100, 2101, 2105, 2106.</exception>
    public Task SkipAsync(ApiClient client, FeedbackUser? acting, Guid taskId, string? reason, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            var task = await TaskRows.LockAsync(change, client.Id, taskId, ct) ?? throw FeedbackCode.TaskNotFound.Refusal("Task not found");
            var user = UserStore.RequireEnabled(acting ?? await UserStore.ByIdAsync(change.Connection, task.UserId, ct), options.Value);
            task.RequireOpen(user.Id, change.Now);
            change.Write("update feedback.task set skipped = true, skip_reason = $2::text where id = $1", taskId, reason);
            var happened = Interactions.Event("task_nack", user.Id, task.ParentMessageId, task);
            change.Note("task_nack", client.Id, user.Id, task.ParentMessageId, task.MessageTreeId, happened);
            if (task.ParentMessageId is { } messageId)
            {
                change.Release(messageId, user.Id);
                await EmojiMarks.AddAsync(change, messageId, user.Id, SkipMarker(task.Type), Rules, changes.Queue, ct);
            }
        },
        ct);

    /// <summary>A collective task takes no more answers.</summary>
    /// <exception cref="Failure">2100 (404), 2101, 2106, 2105.</exception>
    public Task CloseAsync(ApiClient client, string frontendMessageId, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            var task = await TaskRows.LockAcknowledgedAsync(change, client.Id, frontendMessageId, ct)
                ?? throw FeedbackCode.TaskNotFound.Refusal("Task not found", FailureKind.NotFound);
            if (task.IsExpired(change.Now))
            {
                throw FeedbackCode.TaskExpired.Refusal("The task has expired");
            }
            if (!task.Collective)
            {
                throw FeedbackCode.TaskNotAssignedToUser.Refusal("The task is not collective");
            }
            if (task.Done)
            {
                throw FeedbackCode.TaskAlreadyDone.Refusal("The task is done");
            }
            change.Write("update feedback.task set done = true where id = $1", task.Id);
        },
        ct);

    /// <summary>The first offer that one of the wishes finds, or none, for a user who may have one.</summary>
    /// <exception cref="Failure">4001, 4003, or 1012.</exception>
    private async Task<Picked?> HandOutAsync(TaskDraft draft, IReadOnlyCollection<Wish>? wishes, CancellationToken ct)
    {
        while (true)
        {
            var handed = await picks.HandOutAsync(draft, wishes, time.GetUtcNow(), ct);
            if (handed.End != HandOutEnd.Unnamed)
            {
                return handed.End switch
                {
                    HandOutEnd.Barred => throw UserStore.Disabled(),
                    HandOutEnd.WithoutTerms => throw UserStore.WithoutTerms(),
                    HandOutEnd.Busy => throw FeedbackCode.TaskTooManyPending.Refusal("The user has too many open tasks"),
                    _ => handed.Picked,
                };
            }
            // New, or under a new name; rare enough for another round.
            draft = draft with
            {
                Named = draft.Named with { DisplayName = (await users.EnsureAsync(draft.Client, draft.Named, ct)).DisplayName },
            };
        }
    }

    /// <summary>What comes after the first offers: a new prompt, if there is room for one, or other offers.</summary>
    /// <exception cref="Failure">1006.</exception>
    private async Task<Picked> FulfilAsync(TaskDraft draft, List<Wish> wishes, CancellationToken ct)
    {
        while (wishes.Count > 0)
        {
            if (wishes[0].Work is null)
            {
                wishes.RemoveAt(0);
                var lang = draft.Request.Lang;
                if (Rules.TakesPromptsIn(lang) && await MissingPromptsAsync(lang, ct) > 0
                    && await HandOutAsync(draft, wishes: null, ct) is { } prompt)
                {
                    return prompt;
                }
            }
            if (NextOffers(wishes) is { Count: > 0 } next && await HandOutAsync(draft, next, ct) is { } picked)
            {
                return picked;
            }
        }
        throw FeedbackCode.TaskRequestedTypeNotAvailable.Refusal("There is no task of this kind now");
    }

    /// <summary>Takes the wishes from the list that come before a new prompt.</summary>
    private static List<Wish> NextOffers(List<Wish> wishes)
    {
        var next = wishes.TakeWhile(wish => wish.Work is not null).ToList();
        wishes.RemoveRange(0, next.Count);
        return next;
    }

    private async Task<int> MissingPromptsAsync(string lang, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(
            """
            select count(*) filter (where active and state = 'growing')::int,
              count(*) filter (where active and state = 'initial_prompt_review')::int,
              count(*) filter (where state = 'prompt_lottery_waiting')::int
            from feedback.message_tree_state where lang = $1 and state in ('growing', 'initial_prompt_review', 'prompt_lottery_waiting')
            """, lang));
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return Lottery.MissingPrompts(row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), Rules);
    }

    private static string SkipMarker(string type) => type switch
    {
        TaskType.RankAssistantReplies or TaskType.RankPrompterReplies => EmojiCode.SkipRanking,
        TaskType.LabelAssistantReply or TaskType.LabelPrompterReply or TaskType.LabelInitialPrompt => EmojiCode.SkipLabeling,
        _ => EmojiCode.SkipReply,
    };
}
