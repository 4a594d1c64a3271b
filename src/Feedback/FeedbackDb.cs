using Microsoft.EntityFrameworkCore;
using Stoa.Feedback.Labels;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Platform.Data;

namespace Stoa.Feedback;

internal sealed class FeedbackDb(DbContextOptions<FeedbackDb> options) : ModuleDb(options, "feedback")
{
    public DbSet<FeedbackUser> Users => Set<FeedbackUser>();

    public DbSet<Message> Messages => Set<Message>();

    public DbSet<TreeRow> Trees => Set<TreeRow>();

    public DbSet<TaskRow> Tasks => Set<TaskRow>();

    public DbSet<Reaction> Reactions => Set<Reaction>();

    public DbSet<LabelRow> Labels => Set<LabelRow>();

    public DbSet<MessageEmoji> Emojis => Set<MessageEmoji>();

    public DbSet<Revision> Revisions => Set<Revision>();

    public DbSet<FlaggedMessage> FlaggedMessages => Set<FlaggedMessage>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<FeedbackUser>().ToTable("user");
        var message = modelBuilder.Entity<Message>().ToTable("message");
        message.Property(entity => entity.Emojis).HasColumnType("jsonb");
        modelBuilder.Entity<TreeRow>().ToTable("message_tree_state").HasKey(tree => tree.MessageTreeId);
        modelBuilder.Entity<TaskRow>().ToTable("task");
        modelBuilder.Entity<Reaction>().ToTable("message_reaction").HasKey(reaction => new { reaction.TaskId, reaction.UserId });
        modelBuilder.Entity<LabelRow>().ToTable("text_labels").Property(row => row.Labels).HasColumnType("jsonb");
        modelBuilder.Entity<MessageEmoji>().ToTable("message_emoji").HasKey(emoji => new { emoji.MessageId, emoji.UserId, emoji.Emoji });
        modelBuilder.Entity<Revision>().ToTable("message_revision");
        modelBuilder.Entity<FlaggedMessage>().ToTable("flagged_message").HasKey(flag => flag.MessageId);
    }
}
