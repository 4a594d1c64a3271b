using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Companies;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents;
using Stoa.Assistants.Events;
using Stoa.Assistants.Executions;
using Stoa.Assistants.HomeChats;
using Stoa.Assistants.Messages;
using Stoa.Assistants.ProducedTexts;
using Stoa.Assistants.Push;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Tasks;
using Stoa.Assistants.Todos;
using Stoa.Assistants.Users;
using Stoa.Platform.Data;

namespace Stoa.Assistants;

internal sealed class AssistantsDb(DbContextOptions<AssistantsDb> options) : ModuleDb(options, "assistants")
{
    public DbSet<UserRow> Users => Set<UserRow>();

    public DbSet<CompanyRow> Companies => Set<CompanyRow>();

    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<MessageRow> Messages => Set<MessageRow>();

    public DbSet<TaskRow> Tasks => Set<TaskRow>();

    public DbSet<UserTaskRow> UserTasks => Set<UserTaskRow>();

    public DbSet<ExecutionRow> TaskExecutions => Set<ExecutionRow>();

    public DbSet<ProducedTextRow> ProducedTexts => Set<ProducedTextRow>();

    public DbSet<ProducedTextVersionRow> ProducedTextVersions => Set<ProducedTextVersionRow>();

    public DbSet<HomeChatRow> HomeChats => Set<HomeChatRow>();

    public DbSet<DocumentRow> Documents => Set<DocumentRow>();

    public DbSet<WebsiteRow> Websites => Set<WebsiteRow>();

    public DbSet<EventRow> Events => Set<EventRow>();

    public DbSet<DeviceRow> Devices => Set<DeviceRow>();

    public DbSet<GivenRow> Given => Set<GivenRow>();

    public DbSet<TodoRow> Todos => Set<TodoRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<MessageRow>().Property(row => row.Message).HasColumnType("jsonb");
        modelBuilder.Entity<TaskRow>().Property(row => row.InfosToExtract).HasColumnType("jsonb");
        var execution = modelBuilder.Entity<ExecutionRow>();
        execution.Property(row => row.JsonInputValues).HasColumnType("jsonb");
        // What is saved together with its session is written after it.
        execution.HasOne<SessionRow>().WithMany().HasForeignKey(row => row.SessionId);
        modelBuilder.Entity<HomeChatRow>().HasOne<SessionRow>().WithMany().HasForeignKey(row => row.SessionId);
        modelBuilder.Entity<UserRow>().Property(row => row.Zone).ValueGeneratedOnAddOrUpdate();
        modelBuilder.Entity<EventRow>().Property(row => row.Message).HasColumnType("jsonb");
        modelBuilder.Entity<GivenRow>().Property(row => row.Content).HasColumnType("jsonb");
    }
}
