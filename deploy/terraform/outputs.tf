# Named after the variables of Parley that take them.
output "S3_BUCKET_NAME" {
  value = aws_s3_bucket.media.id
}

output "SQS_QUEUE_URL" {
  value = aws_sqs_queue.work.id
}

output "AWS_REGION" {
  value = data.aws_region.current.name
}

output "task_role_arn" {
  value = aws_iam_role.task.arn
}

output "execution_role_arn" {
  value = aws_iam_role.execution.arn
}
