using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Chat;
using Stoa.Learning.Code;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Courses;
using Stoa.Learning.Files;
using Stoa.Learning.Generation;
using Stoa.Learning.Integrations;
using Stoa.Learning.Organizations;
using Stoa.Learning.PublicApi;
using Stoa.Learning.Scorecards;
using Stoa.Learning.Tasks;
using Stoa.Learning.Users;
using Stoa.Platform.Data;

namespace Stoa.Learning;

/// <summary>
/// A row that people delete and that stays: queries do not see it unless they say <c>IgnoreQueryFilters</c>; SQL says it itself.
/// </summary>
internal interface ISoftDeleted
{
    DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class LearningDb(DbContextOptions<LearningDb> options) : ModuleDb(options, "learning")
{
    public DbSet<UserRow> Users => Set<UserRow>();

    public DbSet<OrganizationRow> Organizations => Set<OrganizationRow>();

    public DbSet<OrganizationMember> OrganizationMembers => Set<OrganizationMember>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    public DbSet<CohortRow> Cohorts => Set<CohortRow>();

    public DbSet<CohortMember> CohortMembers => Set<CohortMember>();

    public DbSet<BatchRow> Batches => Set<BatchRow>();

    public DbSet<BatchMember> BatchMembers => Set<BatchMember>();

    public DbSet<CourseRow> Courses => Set<CourseRow>();

    public DbSet<CourseCohort> CourseCohorts => Set<CourseCohort>();

    public DbSet<MilestoneRow> Milestones => Set<MilestoneRow>();

    public DbSet<CourseMilestone> CourseMilestones => Set<CourseMilestone>();

    public DbSet<CourseTask> CourseTasks => Set<CourseTask>();

    public DbSet<TaskRow> Tasks => Set<TaskRow>();

    public DbSet<QuestionRow> Questions => Set<QuestionRow>();

    public DbSet<AssignmentRow> Assignments => Set<AssignmentRow>();

    public DbSet<ScorecardRow> Scorecards => Set<ScorecardRow>();

    public DbSet<QuestionScorecard> QuestionScorecards => Set<QuestionScorecard>();

    public DbSet<ChatMessageRow> ChatMessages => Set<ChatMessageRow>();

    public DbSet<CourseGenerationJob> CourseGenerationJobs => Set<CourseGenerationJob>();

    public DbSet<TaskGenerationJob> TaskGenerationJobs => Set<TaskGenerationJob>();

    public DbSet<CodeDraftRow> CodeDrafts => Set<CodeDraftRow>();

    public DbSet<IntegrationRow> Integrations => Set<IntegrationRow>();

    public DbSet<FileRow> Files => Set<FileRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<OrganizationMember>().ToTable("user_organizations");
        modelBuilder.Entity<ApiKeyRow>().ToTable("org_api_keys");
        modelBuilder.Entity<CohortMember>().ToTable("user_cohorts");
        modelBuilder.Entity<BatchMember>().ToTable("user_batches");
        modelBuilder.Entity<TaskRow>().Property(task => task.Blocks).HasColumnType("jsonb");
        var question = modelBuilder.Entity<QuestionRow>();
        question.Property(row => row.Blocks).HasColumnType("jsonb");
        question.Property(row => row.Answer).HasColumnType("jsonb");
        question.Property(row => row.CodingLanguages).HasColumnName("coding_language").HasColumnType("jsonb");
        question.Property(row => row.Context).HasColumnType("jsonb");
        question.Property(row => row.Settings).HasColumnType("jsonb");
        var assignment = modelBuilder.Entity<AssignmentRow>();
        assignment.Property(row => row.Blocks).HasColumnType("jsonb");
        assignment.Property(row => row.Context).HasColumnType("jsonb");
        assignment.Property(row => row.EvaluationCriteria).HasColumnType("jsonb");
        assignment.Property(row => row.Settings).HasColumnType("jsonb");
        modelBuilder.Entity<ScorecardRow>().Property(row => row.Criteria).HasColumnType("jsonb");
        modelBuilder.Entity<ChatMessageRow>().ToTable("chat_history");
        modelBuilder.Entity<CourseGenerationJob>().Property(job => job.JobDetails).HasColumnType("jsonb");
        modelBuilder.Entity<TaskGenerationJob>().Property(job => job.JobDetails).HasColumnType("jsonb");
        modelBuilder.Entity<CodeDraftRow>().Property(draft => draft.Code).HasColumnType("jsonb");
        HideDeleted(modelBuilder);
    }

    private static void HideDeleted(ModelBuilder modelBuilder)
    {
        Hide<UserRow>();
        Hide<OrganizationRow>();
        Hide<OrganizationMember>();
        Hide<ApiKeyRow>();
        Hide<CohortRow>();
        Hide<CohortMember>();
        Hide<BatchRow>();
        Hide<BatchMember>();
        Hide<CourseRow>();
        Hide<CourseCohort>();
        Hide<MilestoneRow>();
        Hide<CourseMilestone>();
        Hide<CourseTask>();
        Hide<TaskRow>();
        Hide<QuestionRow>();
        Hide<AssignmentRow>();
        Hide<ScorecardRow>();
        Hide<QuestionScorecard>();
        Hide<ChatMessageRow>();
        Hide<CourseGenerationJob>();
        Hide<TaskGenerationJob>();
        Hide<CodeDraftRow>();
        Hide<IntegrationRow>();

        void Hide<T>()
            where T : class, ISoftDeleted => modelBuilder.Entity<T>().HasQueryFilter(row => row.DeletedAt == null);
    }
}
