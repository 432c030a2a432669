# One encrypted parameter per secret variable, read as ssm:/<name>/<VARIABLE> or through the secrets of an ECS task.
resource "aws_ssm_parameter" "secret" {
  for_each = nonsensitive(toset(keys(var.parameters)))
  name     = "/${var.name}/${each.key}"
  type     = "SecureString"
  value    = var.parameters[each.key]
  tags     = var.tags
}
