using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Mail;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Purchases;

/// <summary>Looks after purchases whose time is over, and trials that nobody uses; the purchases mailbox is told.</summary>
internal sealed class PurchaseChecks(AssistantsDb db, TimeProvider time)
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(366);

    /// <summary>Ends them; the mails are in the same transaction, so each is told of exactly when it was ended.</summary>
    public async Task<List<int>> EndExpiredAsync(int limit, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ended = await db.Database.SqlQuery<Ended>($"""
            update assistants.purchases set is_active = false
            from (
              select p.id, r.label from assistants.purchases p join assistants.products r on r.id = p.product_id
              where p.is_active and r.days_valid is not null and p.created_at <= {now} - r.days_valid * interval '1 day'
              order by p.id limit {limit} for update of p skip locked
            ) over
            where purchases.id = over.id
            returning purchases.id, purchases.user_id, over.label
            """).ToListAsync(ct);
        foreach (var purchase in ended)
        {
            db.Enqueue(new SendOfficeMail(
                Mailbox.Purchases, "A purchase has ended",
                $"Purchase {Text(purchase.Id)} of user {purchase.UserId} ({purchase.Label}) is past its days and is no longer active."));
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return [.. ended.Select(purchase => purchase.Id).Order()];
    }

    /// <summary>Users of a free trial who have begun nothing for two working days; each trial is told of once.</summary>
    public async Task<List<string>> TellDisengagedAsync(int limit, int offset, CancellationToken ct)
    {
        var cutOff = CutOff(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        var away = await db.Database.SqlQuery<Away>($"""
            select u.id as user_id, max(p.id) as purchase_id
            from assistants.users u
            join assistants.purchases p on p.user_id = u.id and p.is_active
            join assistants.products r on r.id = p.product_id and r.is_free and r.days_valid is not null
            where u.created_at < {cutOff} and not exists (
              select from assistants.task_executions e where e.user_id = u.id and e.deleted_at is null and e.started_at >= {cutOff}
            )
            group by u.id order by u.id limit {limit} offset {offset}
            """).ToListAsync(ct);
        foreach (var user in away)
        {
            db.Enqueue(
                new SendOfficeMail(
                    Mailbox.Purchases, "A trial user stays away",
                    string.Create(CultureInfo.InvariantCulture,
                        $"User {user.UserId} has begun nothing since {cutOff:yyyy-MM-dd} (purchase {user.PurchaseId}).")),
                new() { UniqueKey = $"away:{Text(user.PurchaseId)}", UniqueFor = Year });
        }
        await db.SaveChangesAsync(ct);
        return away.ConvertAll(user => user.UserId);
    }

    /// <summary>Two working days before the day that lies three days back.</summary>
    internal static DateTimeOffset CutOff(DateOnly today)
    {
        var day = today.AddDays(-3);
        for (var left = 2; left > 0;)
        {
            day = day.AddDays(-1);
            left -= day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0 : 1;
        }
        return new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
    }

    private static string Text(int id) => id.ToString(CultureInfo.InvariantCulture);

    private sealed record Ended(int Id, string UserId, string Label);

    private sealed record Away(string UserId, int PurchaseId);
}
